"""Editions of every size, with and without pictures, in three languages: each passes every check."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from digest.compose.checks import HTML_MAX_BYTES, check_page
from digest.compose.markup import Outline, outline
from digest.compose.render import EmailTemplate, render_issue
from digest.domain.clicks import target_of
from digest.domain.issues import Edition, IssueContent, edition_for
from digest.domain.mail import PREHEADER_MAX, PREHEADER_MIN, Page, Token, assemble, page_for
from tests.compose.editions import NAMES, SIZES, MadeEdition
from tests.samples import CITIES, CLIMATE, PERSONAL, SPACE, everything, issue_in, page_of

SHOWN = {1: 1, 3: 3, 12: 12, 40: 40, 100: 60}


@pytest.fixture(scope="module")
def outlines(editions: Mapping[str, Page]) -> Mapping[str, Outline]:
    return {name: outline(page.html) for name, page in editions.items()}


def too_wide(text: str) -> list[str]:
    return [line for line in text.splitlines() if len(line) > 72 and not line.startswith("https://")]


@pytest.fixture(params=NAMES)
def edition(
    request: pytest.FixtureRequest,
    made_editions: Mapping[str, MadeEdition],
    outlines: Mapping[str, Outline],
) -> tuple[IssueContent, Page, Outline]:
    made = made_editions[request.param]
    return made.content, made.page, outlines[request.param]


def test_every_check_passes(edition: tuple[IssueContent, Page, Outline]) -> None:
    _, page, _ = edition
    assert [finding for finding in check_page(page) if finding.where != "layout"] == []


def test_it_stays_below_what_mail_programs_cut(edition: tuple[IssueContent, Page, Outline]) -> None:
    _, page, _ = edition
    assert len(page.html.encode()) < HTML_MAX_BYTES


def test_language_and_direction_stand_on_the_page(edition: tuple[IssueContent, Page, Outline]) -> None:
    content, _, found = edition
    (root,) = found.named("html")
    right_to_left = content.language == "ar"
    assert root.attributes["lang"] == content.language
    assert root.attributes["dir"] == ("rtl" if right_to_left else "ltr")
    sides = {cell.attributes["align"] for cell in found.named("td") if "align" in cell.attributes}
    assert sides == {"left", "right"}
    lists = " ".join(element.attributes["style"] for element in found.named("ul"))
    assert ("padding-right:20px" in lists, "padding-left:20px" in lists) == (right_to_left, not right_to_left)


def test_each_article_has_a_heading_a_list_and_a_link(
    edition: tuple[IssueContent, Page, Outline], made_editions: Mapping[str, MadeEdition]
) -> None:
    content, page, found = edition
    counted = next(one.rendered.links for one in made_editions.values() if one.content is content)
    shown = content.items[: SHOWN[len(content.items)]]
    assert len(found.named("h2")) == len(shown)
    assert {found.text_of(heading) for heading in found.named("h2")} == {item.title for item in shown}
    full, compact = shown[:12], shown[12:30]
    assert len(found.named("li")) == sum(len(i.takeaways) for i in full) + sum(
        len(i.takeaways[:2]) for i in compact
    )
    links = {target_of(link.attributes["href"], counted) for link in found.named("a")}
    assert {item.url for item in shown} <= links
    assert {item.url for item in shown} <= {target_of(word, counted) for word in page.text.split()}


def test_pictures_are_for_articles_shown_in_full(edition: tuple[IssueContent, Page, Outline]) -> None:
    content, _, found = edition
    assert len(found.named("img")) == (min(12, len(content.items)) if content.items[0].image else 0)


def test_the_plain_text_says_what_the_html_says(edition: tuple[IssueContent, Page, Outline]) -> None:
    _, page, found = edition
    plain = " ".join(page.text.split())
    for element in (
        *found.named("h2"),
        *found.named("li"),
        *found.of_class("intro"),
        *found.of_class("more"),
        *found.of_class("mute"),
        *found.of_class("pause"),
    ):
        assert found.text_of(element) in plain
    for line in (*found.of_class("why"), *found.of_class("intro")):
        assert found.text_of(line) in plain
    for token in (Token.UNSUBSCRIBE_URL, Token.PREFERENCES_URL, Token.ONLINE_URL):
        assert PERSONAL[token] in page.text.split()


def test_the_plain_text_mutes_and_pauses_by_the_same_addresses(
    edition: tuple[IssueContent, Page, Outline],
) -> None:
    _, page, found = edition
    preferences, words = PERSONAL[Token.PREFERENCES_URL], page.text.split()
    sections = re.findall(rf"^-{{72}}\n.+\n{re.escape(preferences)}/mute/(\w+)\n\n", page.text, re.MULTILINE)
    muted = [f"{preferences}/mute/{section}" for section in sections]
    assert muted == [link.attributes["href"] for link in found.of_class("mute")]
    assert words.count(f"{preferences}#pause") == len(found.of_class("pause")) == 1


def test_the_plain_text_is_72_wide_but_for_addresses_and_names(
    edition: tuple[IssueContent, Page, Outline],
) -> None:
    _, page, _ = edition
    assert too_wide(page.text) == []


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_why_they_got_it_is_72_wide_whoever_reads_it(language: str, template: EmailTemplate) -> None:
    content = replace(issue_in("en", 1), language=language, newsletter="The Quarterly Review of Everything")
    assembly = assemble(render_issue(content, template), everything(content))
    page = page_for(assembly, PERSONAL | {Token.EMAIL: "ada.fenwick-lovelace@example.org"})
    assert too_wide(page.text) == []
    assert "ada.fenwick-lovelace@example.org" in page.text


def test_the_contents_count_what_each_topic_has(edition: tuple[IssueContent, Page, Outline]) -> None:
    content, page, found = edition
    whole = everything(content)
    names = {topic.slug: topic.name for topic in content.topics}
    counts = [(names[section.topic], len(section.positions)) for section in whole.sections]
    if len(whole.sections) >= 2:
        entries = [found.text_of(entry) for entry in found.of_class("entry")]
        assert entries == [f"{name}{count}" for name, count in counts]
        assert all(f"* {name} ({count})\n" in page.text for name, count in counts)
    else:
        assert "In this issue" not in page.html + page.text


def test_the_preheader_is_as_long_as_inboxes_show(edition: tuple[IssueContent, Page, Outline]) -> None:
    _, _, found = edition
    (preheader,) = found.of_class("preheader")
    said = found.text_of(preheader).partition("\u034f")[0].strip()
    assert PREHEADER_MIN <= len(said) <= PREHEADER_MAX


def test_what_has_no_room_is_online(template: EmailTemplate) -> None:
    content = issue_in("en", 100)
    rendered, whole = render_issue(content, template), everything(content)
    mail, online = page_of(rendered, whole), page_for(assemble(rendered, whole, room=None), PERSONAL)
    assert "And 40 more online" in mail.html
    assert f"And 40 more online\n{PERSONAL[Token.ONLINE_URL]}\n" in mail.text
    assert len(outline(online.html).named("h2")) == 100
    assert not outline(online.html).of_class("more")


def test_an_editor_is_told_what_has_no_room(editions: Mapping[str, Page]) -> None:
    told = {size: [f.what for f in check_page(editions[f"en-{size}"])] for size in SIZES}
    assert (told[1], told[3], told[12]) == ([], [], [])
    assert told[40] == ["10 articles are only a headline here, for want of room"]
    assert told[100] == [
        "30 articles are only a headline here, for want of room",
        "the mail does not hold all articles: 'And 40 more online'",
    ]


def test_a_reader_of_one_topic_gets_their_articles_in_full(template: EmailTemplate) -> None:
    content = issue_in("en", 40)
    page = page_of(render_issue(content, template), edition_for(content.outline, {SPACE}))
    found = outline(page.html)
    assert (len(found.of_class("full")), len(found.of_class("compact"))) == (9, 0) or len(
        found.of_class("full")
    ) == 10
    assert "In this issue" not in page.html


def test_an_edition_of_nothing_is_not_made() -> None:
    assert edition_for(issue_in("en", 0).outline, {CLIMATE, SPACE, CITIES}) == Edition(())
    assert edition_for(issue_in("en", 12).outline, set()) == Edition(())


def test_articles_of_any_length_leave_room_for_the_others(template: EmailTemplate) -> None:
    content = issue_in("ar", 40)
    long = "كلمة " * 400
    items = tuple(
        replace(item, title=f"{item.position} {long}", takeaways=(long,) * 5, source=long)
        for item in content.items
    )
    content = replace(content, items=items)
    page = page_of(render_issue(content, template), everything(content))
    assert [finding for finding in check_page(page) if finding.severity == "error"] == []
    assert len(outline(page.html).named("h2")) >= 30


def test_why_an_article_is_there_names_its_topics(template: EmailTemplate) -> None:
    page = page_of(render_issue(issue_in("en", 3), template), everything(issue_in("en", 3)))
    assert "Because you follow Climate &amp; energy &middot; also about Cities" in page.html
    assert "Because you follow Climate & energy · also about Cities" in page.text


def test_the_number_of_an_issue_stands_beside_its_days(template: EmailTemplate) -> None:
    content = issue_in("en", 1)
    page = page_of(render_issue(content, template), everything(content))
    assert "Issue 12 · 16–22 November 2026" in page.text
    assert re.search(r"Issue 12 &middot; 16–22 November 2026", page.html)
