"""The mail in a newsletter's theme and with its own files, and mails of one piece."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest

from digest.compose.checks import check_page
from digest.compose.markup import outline
from digest.compose.render import EmailTemplate, compile_template, render_issue
from digest.compose.template_files import TemplateFiles
from digest.compose.templates import MessageTemplate, compile_message
from digest.compose.views import mail_view
from digest.domain.errors import Misconfigured
from digest.domain.mail import Page
from digest.domain.themes import DARK, LIGHT, Colours, Logo, Theme
from tests.samples import TEMPLATES, everything, issue_in, page_of, sample_issue

BLUE = Colours(ink="#0b1f33", soft="#3f5366", accent="#0b5394", page="#fefefe", rule="#c0d0e0")
NIGHT = Colours(ink="#e0ecf8", soft="#a9bccf", accent="#9fc5e8", page="#07121d", rule="#22384d")
LOGO = Logo("https://example.org/logo.png?a=1&b=2", 'Reader "and" Sons', 240)
THEME = Theme(BLUE, NIGHT, "Verdana, 'Trebuchet MS', sans-serif", "Palatino, 'Book Antiqua', serif", LOGO)

MAIL = mail_view("The Harbour Week", "Harbour Press", "1 Quay Street\nHarbour City", "en")


def themed(template: EmailTemplate, theme: Theme, language: str = "en", count: int = 40) -> Page:
    content = issue_in(language, count)
    return page_of(render_issue(content, replace(template, theme=theme)), everything(content))


def test_no_colour_and_no_font_of_ours_is_left_in_a_theme_of_its_own(template: EmailTemplate) -> None:
    html = themed(template, THEME).html
    for scheme in (LIGHT, DARK):
        for colour in fields(Colours):
            assert getattr(scheme, colour.name) not in html
    assert "Georgia" not in html
    assert "Segoe" not in html
    for scheme in (BLUE, NIGHT):
        for colour in fields(Colours):
            assert getattr(scheme, colour.name) in html


def test_a_themed_mail_passes_every_check(template: EmailTemplate) -> None:
    for theme in (THEME, replace(THEME, logo=replace(LOGO, replaces_name=True))):
        page = themed(template, theme)
        assert [finding for finding in check_page(page) if finding.where != "layout"] == []


def test_a_logo_stands_above_the_name_or_in_its_place(template: EmailTemplate) -> None:
    above = outline(themed(template, THEME).html)
    (logo,) = above.of_class("logo")
    assert (logo.attributes["src"], logo.attributes["alt"]) == (LOGO.url, LOGO.alt)
    assert logo.attributes["width"] == "240"
    assert above.text_of(above.named("h1")[0]) == "The Saturday Reader"
    instead = outline(themed(template, replace(THEME, logo=replace(LOGO, replaces_name=True))).html)
    (logo,) = instead.of_class("logo")
    assert "h1" in logo.inside
    assert instead.text_of(instead.named("h1")[0]) == LOGO.alt
    assert not outline(themed(template, Theme()).html).of_class("logo")


def test_outlook_gets_fonts_it_can_read(template: EmailTemplate) -> None:
    for theme, fonts in ((Theme(), "'Segoe UI',Roboto"), (THEME, "Verdana,'Trebuchet MS'")):
        (said,) = re.findall(
            r"<!--\[if mso\]><style>td,[^{]*\{font-family:([^!]*)", themed(template, theme).html
        )
        assert said.startswith(fonts)


def test_a_phrase_is_worded_as_the_newsletter_wants_it(template: EmailTemplate) -> None:
    wording = {
        "de": {"unsubscribe": {"other": "Ich mag <nicht> mehr"}},
        "en": {"view_online": {"other": "x"}},
    }
    page = themed(template, Theme(wording=wording), "de")
    assert "Ich mag &lt;nicht&gt; mehr" in page.html
    assert "Ich mag <nicht> mehr" in page.text
    assert "Abbestellen" not in page.html + page.text
    assert "Online lesen" in page.html


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "harbour-week" / "digest"
    folder.mkdir(parents=True)
    return folder


def page_with(own: Path, content_language: str = "en") -> Page:
    content = sample_issue(language=content_language)
    return page_of(render_issue(content, compile_template(own, TEMPLATES / "digest")), everything(content))


def test_a_newsletters_own_file_takes_the_place_of_one_and_leaves_the_others(
    own: Path, page: Page, template_files: Mapping[str, str]
) -> None:
    (own / "body.txt").write_text(template_files["body.txt"].replace("-' * 72", "=' * 40"))
    found = page_with(own)
    assert found.html == page.html
    assert "=" * 40 in found.text
    assert "-" * 72 not in found.text


def test_a_newsletters_own_part_takes_the_place_of_one(own: Path, page: Page) -> None:
    parts = own.parent / "parts"
    parts.mkdir()
    (parts / "sender.txt").write_text("{{ pgettext('sent_by', 'Sent by {sender}.', sender='us') }}")
    found = page_with(own, "de")
    assert found.text.endswith("Gesendet von us.\n")
    assert page.text.endswith("Harbourtown HT1 2AB\n")


def test_without_files_of_its_own_a_newsletter_has_the_shared_ones(own: Path, page: Page) -> None:
    assert page_with(own) == page


def test_an_error_in_a_part_is_named_with_the_parts_own_line(
    own: Path, template_files: Mapping[str, str]
) -> None:
    parts = own / "parts"
    parts.mkdir()
    for spoilt, told in (
        ("\n<p>{{ mail.nam }}</p>\n", r"own\.mjml line 2: .*nam"),
        ("\n\n{% if %}", r"own\.mjml line 3: "),
        ("\n<mj-carousel></mj-carousel>", r"own\.mjml line 2: <mj-carousel>"),
        ("<p>\n</div>", r"own\.mjml line 2: </div> stands where <p> of .*own\.mjml line 1 is open"),
    ):
        (parts / "own.mjml").write_text(spoilt)
        body = template_files["body.mjml"].replace("{% include 'parts/sender", "{% include 'parts/own")
        (own / "body.mjml").write_text(body)
        with pytest.raises(Misconfigured, match=told):
            compile_template(own, TEMPLATES / "digest")


def test_a_part_that_is_not_there_or_holds_itself_is_named_with_its_line(own: Path) -> None:
    (own / "parts").mkdir()
    for part, told in (("parts/none.txt", "is in none of"), ("parts/own.txt", "includes itself")):
        (own / "body.txt").write_text("{% include 'parts/own.txt' %}\n")
        (own / "parts" / "own.txt").write_text(f"first\n{{% include '{part}' %}}\n")
        with pytest.raises(Misconfigured, match=rf"own\.txt line 2: '{part}' {told}"):
            compile_template(own, TEMPLATES / "digest")


def test_a_part_is_looked_for_in_the_templates_folders_only(own: Path) -> None:
    (own.parent.parent / "secret.txt").write_text("secret")
    (own / "body.txt").write_text("{% include '../../secret.txt' %}\n")
    with pytest.raises(Misconfigured, match=r"body\.txt line 1"):
        compile_template(own, TEMPLATES / "digest")


def test_a_change_of_any_file_is_seen(own: Path) -> None:
    files = TemplateFiles((own, TEMPLATES / "digest"))
    seen = {files.stamp}
    (own / "body.txt").write_text("x")
    seen.add(files.stamp)
    (own.parent / "parts").mkdir()
    (own.parent / "parts" / "sender.txt").write_text("x")
    seen.add(files.stamp)
    (own / "body.txt").write_text("longer")
    seen.add(files.stamp)
    assert len(seen) == 4
    assert (TEMPLATES / "parts" / "head.mjml") in [file for file, _, _ in files.stamp]


BODY = """<mjml lang="{{ mail.language }}" dir="{{ mail.direction }}">
  <mj-head>
    <mj-title>{{ subject }}</mj-title>
    {% include 'parts/head.mjml' %}
  </mj-head>
  <mj-body width="600px" background-color="{{ theme.light.page }}" css-class="page">
    <mj-section><mj-column><mj-text>
      {% include 'parts/masthead.mjml' %}
      <p class="ink">{{ pgettext('hello', 'Hello {name}', name=name) }}</p>
      {% include 'parts/sender.mjml' %}
    </mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
"""


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A template of one piece beside the real parts and catalogues."""
    for shared in ("parts", "locale"):
        (tmp_path / shared).symlink_to(TEMPLATES / shared)
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "subject.txt").write_text(
        "{{ mail.newsletter }}: {{ pgettext('hello', 'Hello {name}', name=name) }}\n"
    )
    (folder / "body.mjml").write_text(BODY)
    (folder / "body.txt").write_text("{{ name | wrap }}\n\n{% include 'parts/sender.txt' %}\n")
    return folder


def compiled(*folders: Path) -> MessageTemplate:
    return compile_message(*folders, mail=MAIL, values={"name": "Ada"})


def test_a_mail_of_one_piece_has_subject_page_and_text(hello: Path) -> None:
    page = replace(compiled(hello), theme=THEME).page(MAIL, {"name": "<Ada>\r\nBcc: {{ 7 * 7 }}"})
    assert page.subject == "The Harbour Week: Hello <Ada> Bcc: {{ 7 * 7 }}"
    assert "<title>The Harbour Week: Hello &lt;Ada&gt;" in page.html.replace("\n", "")
    assert "Hello &lt;Ada&gt;" in page.html
    assert BLUE.accent in page.html
    assert page.text.endswith("Sent by Harbour Press.\n1 Quay Street\nHarbour City\n")
    assert outline(page.html).imbalance == ""


def test_a_mail_of_one_piece_speaks_its_readers_language(hello: Path) -> None:
    page = compiled(hello).page(replace(MAIL, language="de"), {"name": "Ada"})
    assert "Gesendet von Harbour Press." in page.text
    assert '<html lang="de"' in page.html


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("subject.txt", "\n{{ nme }}", r"subject\.txt line 2: 'nme' is undefined"),
        ("body.txt", "{{ name }\n", r"body\.txt line 1: "),
        ("body.mjml", BODY.replace("name=name", "name=nme"), r"body\.mjml line 9: 'nme' is undefined"),
        (
            "body.mjml",
            BODY.replace("</mj-text>", ""),
            r"body\.mjml line 11: </mj-column> stands where <mj-text>",
        ),
    ],
)
def test_an_error_in_a_mail_of_one_piece_is_named_with_its_line(
    name: str, text: str, told: str, hello: Path
) -> None:
    (hello / name).write_text(text)
    with pytest.raises(Misconfigured, match=told):
        compiled(hello)


def test_a_mail_of_one_piece_needs_its_subject(hello: Path) -> None:
    (hello / "subject.txt").unlink()
    with pytest.raises(Misconfigured, match=r"subject\.txt: cannot be read"):
        compiled(hello)


def test_a_value_it_cannot_show_is_a_fault_of_the_template(hello: Path) -> None:
    with pytest.raises(Misconfigured, match=r"hello/subject\.txt line 1: 'name' is undefined"):
        compiled(hello).page(MAIL, {})
