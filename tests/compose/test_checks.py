from dataclasses import replace

import pytest

from digest.compose.checks import HTML_MAX_BYTES, Finding, Severity, check_page
from digest.domain.mail import Page, Token


def test_a_rendered_issue_has_nothing_to_find(page: Page) -> None:
    assert check_page(page) == ()


HTML_FAULTS = {
    "no language": ('<html lang="en" dir="ltr"', '<html dir="ltr"', "language"),
    "an undetermined language": ('<html lang="en"', '<html lang="und"', "language"),
    "no direction": ('<html lang="en" dir="ltr"', '<html lang="en"', "direction"),
    "an empty title": ("<title>The Saturday Reader: The tidal", "<title></title><x>", "title"),
    "a token without a value": ("16–22", Token.EMAIL.mark, "token"),
    "a placeholder": ("16–22", "{{ issue.days }}", "placeholder"),
    "a statement": ("16–22", "{% if x %}", "placeholder"),
    "too much": ("16–22", "x" * HTML_MAX_BYTES, "bytes of HTML"),
    "a second h1": ("16–22", "<h1>Again</h1>", "<h1>"),
    "a script": ("16–22", "<script>alert(1)</script>", "<script>"),
    "a script for Outlook alone": ("16–22", "<!--[if mso]><script>x</script><![endif]-->", "<script>"),
    "a form": ("16–22", "<form></form>", "<form>"),
    "a frame": ("16–22", "<iframe src='https://example.org'></iframe>", "<iframe>"),
    "a handler": ("16–22", "<b onclick='x()'>b</b>", "onclick"),
    "a script as a link": ("16–22", "<a href='javascript:alert(1)'>x</a>", "javascript:"),
    "a relative link": ("16–22", "<a href='/archive'>x</a>", "/archive"),
    "a link to nowhere": ("16–22", "<a>x</a>", "absolute"),
    "a remote font": ("16–22", "<style>@import url(https://example.org/f.css);</style>", "another host"),
    "a remote background": (
        "16–22",
        "<p style='background:url(https://example.org/x.png)'>x</p>",
        "another host",
    ),
    "an image without alt": ("16–22", '<img src="https://example.org/x.png" width="1">', "alternative text"),
    "an image in the clear": ("16–22", '<img src="http://example.org/x.png" alt="" width="1">', "not https"),
    "no unsubscribe link": ("ink unsubscribe", "ink", "unsubscribe"),
    "no charset": ("charset=UTF-8", "charset=latin-1", "charset"),
    "a heading of nothing": ("16–22", "<h2> </h2>", "says nothing"),
    "a point outside a list": ("16–22", "<li>x</li>", "not in a list"),
    "a link without words": ("16–22", '<a href="https://example.org/"> </a>', "has no words"),
    "no link to preferences": ("ink preferences", "ink", "preferences"),
    "no link to the mail online": (' online" ', '" ', "online"),
    "no word of why": ("rule why", "rule", "why the reader got it"),
    "a tag left open": ("16–22", "<b>16–22", "not balanced"),
    "an Outlook table left open": ("<!--[if mso | IE]></td><![endif]-->", "", "as Outlook reads them"),
}


@pytest.mark.parametrize("fault", HTML_FAULTS)
def test_a_fault_in_the_html_is_an_error(fault: str, page: Page) -> None:
    old, new, word = HTML_FAULTS[fault]
    assert old in page.html
    times = -1 if "online" in fault else 1  # the mail links there at its top and at its bottom
    findings = check_page(replace(page, html=page.html.replace(old, new, times)))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    assert any(word in error.what for error in errors), errors


def test_layout_tables_and_metas_are_warned_about(page: Page) -> None:
    html = page.html.replace("<!--<![endif]-->", "<!--<![endif]--><table><tr><td></td></tr></table>", 1)
    findings = check_page(replace(page, html=html.replace('name="color-scheme"', 'name="x"')))
    assert len(findings) == 2
    assert {finding.severity for finding in findings} == {Severity.WARNING}


WARNINGS = {
    "a link that does not say where it goes": (
        "16–22",
        '<a href="https://a.example/">Read more…</a>',
        "'Read more",
    ),
    "links in the clear": (
        "https://meridian.example.org/2026",
        "http://meridian.example.org/2026",
        "5 links not https",
    ),
    "no dark colours": ("prefers-color-scheme: dark", "prefers-contrast: more", "dark screen"),
    "no postal address": ("soft postal", "soft", "postal address"),
    "no preheader": ("preheader ink", "ink", "no preheader"),
    "a preheader of two words": ("A school for heat-pump fitters", "Two words\u034f", "9 characters"),
    "a preheader without padding": ("&#847;", "", "inbox"),
    "a preheader in white": (
        "overflow:hidden;color:#22262b",
        "overflow:hidden;color:#FFFFFF",
        "white on white",
    ),
    "text too small": ("16–22", "<b style='font-size:9px'>x</b>", "below 12 px"),
}


@pytest.mark.parametrize("fault", WARNINGS)
def test_what_an_editor_should_judge_is_a_warning(fault: str, page: Page) -> None:
    old, new, word = WARNINGS[fault]
    assert old in page.html
    findings = check_page(replace(page, html=page.html.replace(old, new), text=page.text.replace(old, new)))
    assert any(word in finding.what for finding in findings), findings
    assert {finding.severity for finding in findings} == {Severity.WARNING}


def test_links_of_a_trial_installation_are_not_warned_about(page: Page) -> None:
    local = replace(
        page,
        html=page.html.replace("https://digest.example.org/", "http://127.0.0.1:8000/"),
        text=page.text.replace("https://digest.example.org/", "http://127.0.0.1:8000/"),
    )
    assert check_page(local) == ()


def test_links_to_our_own_pages_are_held_against_where_these_are_reached(page: Page) -> None:
    def told(public_url: str) -> list[tuple[str, str]]:
        return [(one.severity, one.where) for one in check_page(page, public_url=public_url)]

    assert told("https://digest.example.org") == []
    assert ("error", "own links") in told("https://elsewhere.example.org")
    assert ("warning", "own links") in told("http://localhost:8000")


def test_a_mail_of_pictures_alone_is_an_error() -> None:
    html = '<p></p><img src="https://example.org/a.png" alt="All of it" width="1">'
    assert any("all pictures" in finding.what for finding in check_page(Page("s", html, "t")))


def test_an_empty_text_form_is_an_error(page: Page) -> None:
    assert check_page(replace(page, text=" \n")) == (
        Finding(Severity.ERROR, "the text form is empty", "text"),
    )


def test_an_article_missing_from_the_text_form_is_an_error(page: Page) -> None:
    url = "https://harbour-post.example.org/2026/11/peat"
    (finding,) = check_page(replace(page, text=page.text.replace(url, "")))
    assert (finding.severity, finding.where) == (Severity.ERROR, "text")
    assert url in finding.what


def test_braces_in_plain_text_are_left_to_an_editor(page: Page) -> None:
    (finding,) = check_page(replace(page, text=page.text + "Dear {{ first_name }}"))
    assert finding.severity is Severity.WARNING
    assert "{{ first_name }}" in finding.what


def test_errors_come_before_warnings(page: Page) -> None:
    html = page.html.replace('name="viewport"', 'name="x"').replace("16–22", "<script></script>", 1)
    severities = [finding.severity for finding in check_page(replace(page, html=html))]
    assert severities == [Severity.ERROR, Severity.WARNING]
