"""All editions of an issue checked at once say what each says by itself."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from digest.compose.checks import HTML_MAX_BYTES, Severity, check_page
from digest.compose.checks.editions import CheckedEditions, check_editions
from digest.compose.render import EmailTemplate, render_issue
from digest.domain.articles import Image
from digest.domain.issues import Edition, IssueContent, edition_for
from digest.domain.mail import Fragment, RenderedIssue, Token, assemble, page_for
from tests.samples import CITIES, CLIMATE, FOOD, ITEMS, SPACE, issue_in, sample_issue

PERSONAL: Mapping[Token, str] = {
    Token.EMAIL: "reader@example.org",
    Token.UNSUBSCRIBE_URL: "https://digest.example.org/unsubscribe/t",
    Token.PREFERENCES_URL: "https://digest.example.org/preferences/t",
    Token.ONLINE_URL: "https://digest.example.org/online/t",
}
MIXES = ((CLIMATE,), (SPACE,), (CLIMATE, SPACE), (CITIES, FOOD), (CLIMATE, SPACE, CITIES, FOOD))


def editions_of(content: IssueContent) -> dict[Edition, int]:
    """Five editions, of 1, 2, 4, 8 and 16 readers: which of them are concerned shows in the sum."""
    return {edition_for(content.outline, mix): 2**number for number, mix in enumerate(MIXES)}


def checked(content: IssueContent, rendered: RenderedIssue) -> CheckedEditions:
    return check_editions(rendered, editions_of(content), PERSONAL)


def test_a_good_issue_has_only_its_picture_without_words_to_tell(rendered: RenderedIssue) -> None:
    (note,) = checked(sample_issue(), rendered).findings
    assert note.finding.severity is Severity.NOTE
    assert "nothing stands for the picture https://meridian.example.org/img/planet.jpg" in note.finding.what
    assert note.finding.where == "'A quiet star, and the first weather map of a planet around…'"
    assert (note.editions, note.readers) == (3, 2 + 4 + 16)


SPOILED = {
    "a script": ("<script>alert(1)</script>", "has no place in a mail"),
    "a tag left open": ("<b>", "not balanced"),
    "a tag closed that is not its own": ("</div></td>", "not balanced"),
    "a relative link": ("<a href='/x'>Elsewhere</a>", "'/x' is not absolute"),
    "an image without alt": ('<img src="https://example.org/x.png" width="9">', "no alternative text"),
    "pale words": ("<p style='color:#eee'>Pale</p>", "hard to read"),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_a_fault_in_one_article_is_told_once_with_the_readers_who_get_it(
    fault: str, rendered: RenderedIssue
) -> None:
    content = sample_issue()
    piece = rendered.items[f"3:{SPACE}"]
    at = piece.html.index("</h2>") + len("</h2>")
    spoiled = Fragment(piece.html[:at] + SPOILED[fault][0] + piece.html[at:], piece.text)
    issue = replace(rendered, items={**rendered.items, f"3:{SPACE}": spoiled})
    found = [one for one in checked(content, issue).findings if SPOILED[fault][1] in one.finding.what]
    assert found
    for one in found:
        assert (one.editions, one.readers) == (3, 2 + 4 + 16)
        assert one.finding.where.startswith("'A quiet star")


@pytest.mark.parametrize("fault", SPOILED)
def test_what_is_found_in_the_pieces_is_found_in_each_whole_page(fault: str, rendered: RenderedIssue) -> None:
    content = sample_issue()
    piece = rendered.items[f"3:{SPACE}"]
    at = piece.html.index("</h2>") + len("</h2>")
    spoiled = Fragment(piece.html[:at] + SPOILED[fault][0] + piece.html[at:], piece.text)
    issue = replace(rendered, items={**rendered.items, f"3:{SPACE}": spoiled})
    for edition in editions_of(content):
        alone = check_editions(issue, {edition: 1}, PERSONAL).findings
        page = page_for(assemble(issue, edition), PERSONAL)
        severities = {one.finding.severity for one in alone} - {Severity.NOTE}
        assert severities == {finding.severity for finding in check_page(page)}


def test_lengths_of_many_subjects_are_one_finding_with_the_worst(template: EmailTemplate) -> None:
    short = replace(sample_issue(), newsletter="X", items=tuple(replace(i, title="Y") for i in ITEMS))
    (found,) = [
        one
        for one in checked(short, render_issue(short, template)).findings
        if one.finding.where == "subject"
    ]
    assert found.finding.what == "the subject has 4 characters; 10 to 78 show best"
    assert (found.editions, found.readers) == (5, 31)


def test_what_readers_want_online_only_is_no_fault_and_what_has_no_room_is(template: EmailTemplate) -> None:
    few = sample_issue()
    everything = edition_for(few.outline, MIXES[-1])
    wanted = check_editions(render_issue(few, template), {replace(everything, most=2): 5}, PERSONAL)
    assert not [one for one in wanted.findings if "does not hold all" in one.finding.what]
    many = issue_in("en", 100)
    whole = edition_for(many.outline, many.outline.topics)
    rendered = render_issue(many, template)
    crowded = check_editions(rendered, {whole: 1, replace(whole, most=5): 4}, PERSONAL)
    (told,) = [one for one in crowded.findings if "does not hold all" in one.finding.what]
    assert (told.finding.what, told.readers) == (
        "the mail does not hold all articles: 'And 40 more online'",
        1,
    )


def test_an_edition_that_would_be_cut_is_an_error_for_its_readers(rendered: RenderedIssue) -> None:
    heavy = Fragment(rendered.sections[FOOD].html + " " * HTML_MAX_BYTES + "\n", rendered.sections[FOOD].text)
    issue = replace(rendered, sections={**rendered.sections, FOOD: heavy})
    error, *_ = checked(sample_issue(), issue).findings
    assert error.finding.severity is Severity.ERROR
    assert "bytes of HTML; mail programs cut it at 100,000" in error.finding.what
    assert (error.editions, error.readers) == (2, 8 + 16)


def test_two_articles_with_one_address_are_told_where_both_are_shown(template: EmailTemplate) -> None:
    first = next(item for item in ITEMS if item.topics[0] == CLIMATE)
    items = tuple(
        replace(item, url=first.url.replace("https://", "http://www.") + "/#top")
        if item.position == 3
        else item
        for item in ITEMS
    )
    content = replace(sample_issue(), items=items)
    found = [
        one
        for one in checked(content, render_issue(content, template)).findings
        if "two articles link" in one.finding.what
    ]
    assert [(one.editions, one.readers) for one in found] == [(2, 4 + 16)]


def test_addresses_are_gathered_once_with_their_articles_and_readers(rendered: RenderedIssue) -> None:
    told = checked(sample_issue(), rendered)
    urls = [address.url for address in told.links]
    assert len(urls) == len(set(urls))
    assert not any("digest.example.org" in url for url in urls)
    lander = next(address for address in told.links if address.url.endswith("/lander"))
    assert (lander.editions, lander.readers) == (3, 22)
    assert lander.where == ("'The lander that fell over is still the best seismometer on…'",)
    assert {picture.width for picture in told.pictures} == {536}
    own = {url for token, url in PERSONAL.items() if token is not Token.EMAIL}
    mutes = {f"{PERSONAL[Token.PREFERENCES_URL]}/mute/{topic.slug}" for topic in sample_issue().topics}
    assert set(told.own) == own | mutes


def test_hostile_titles_and_alt_texts_are_told_as_they_are(template: EmailTemplate) -> None:
    hostile = "<script>alert(1)</script>{{ x }}\r\nBcc: x"
    items = tuple(
        replace(item, title=hostile, image=Image("https://example.org/x.png", hostile)) for item in ITEMS
    )
    content = replace(sample_issue(), items=items)
    told = checked(content, render_issue(content, template)).findings
    assert [one for one in told if one.finding.severity is Severity.ERROR] == []
    assert not any("\n" in one.finding.where for one in told)


def test_a_placeholder_in_a_topics_name_is_told_once_with_the_topic(template: EmailTemplate) -> None:
    named = {
        SPACE: "About {{ your topic }} and more of it than a line holds, as some names go on",
        FOOD: "{{x}}",
    }
    content = sample_issue()
    topics = tuple(replace(topic, name=named.get(topic.slug, topic.name)) for topic in content.topics)
    items = (replace(ITEMS[0], title="Braces {{ in a title }}"), *ITEMS[1:])
    content = replace(content, topics=topics, items=items)
    found = {
        (one.finding.what, one.finding.where, one.readers)
        for one in checked(content, render_issue(content, template)).findings
        if "placeholder" in one.finding.what
    }
    assert found == {
        (
            "'{{ your topic }}' in the name of the topic 'space' looks like a placeholder",
            "topics",
            2 + 4 + 16,
        ),
        ("'{{x}}' in the name of the topic 'food' looks like a placeholder", "topics", 1 + 4 + 8 + 16),
        ("'{{ in a title }}' looks like a placeholder", "'Braces {{ in a title }}'", 1 + 4 + 16),
    }
