from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from digest.compose.checks import HTML_MAX_BYTES
from digest.compose.markup import outline
from digest.compose.render import EmailTemplate, compile_template, render_issue
from digest.compose.views import SectionView, issue_context, item_view
from digest.domain.articles import Image
from digest.domain.errors import InvalidInput, Misconfigured
from digest.domain.issues import Edition, IssueContent, OtherSource, edition_for
from digest.domain.layout import Density
from digest.domain.mail import SECTION_COUNT, Fragment, Page, RenderedIssue, Token
from tests.samples import (
    CITIES,
    CLIMATE,
    FOOD,
    ITEMS,
    PERSONAL,
    SPACE,
    TOPICS,
    everything,
    many,
    one_item,
    page_of,
    sample_issue,
)


def whole_render(content: IssueContent, edition: Edition, template: EmailTemplate) -> Fragment:
    """Render the template from top to bottom, as Jinja does when nobody takes it apart."""
    names = {topic.slug: topic.name for topic in content.topics}
    phrases = template.phrases(content.language)
    sections = tuple(
        SectionView(
            names[section.topic],
            section.topic,
            tuple(
                item_view(
                    item,
                    content.language,
                    phrases,
                    also_about=tuple(names[other] for other in item.topics if other != section.topic),
                )
                for item in (content.items[position] for position in section.positions)
            ),
        )
        for section in edition.sections
    )
    values = issue_context(content, phrases, template.theme, sections=sections, section_count=SECTION_COUNT)
    return Fragment(template.html.rendered(values), template.text.rendered(values))


@pytest.mark.parametrize("follows", [{CLIMATE}, {SPACE, FOOD}, {CLIMATE, SPACE, CITIES, FOOD}, set()])
def test_the_pieces_joined_are_the_template_rendered_whole(
    follows: set[str], template: EmailTemplate, rendered: RenderedIssue
) -> None:
    content = sample_issue()
    edition = edition_for(content.outline, follows)
    pieces = [rendered.opening, rendered.contents]
    pieces += [rendered.entries[section.topic] for section in edition.sections]
    for section in edition.sections:
        pieces.append(rendered.sections[section.topic])
        pieces += [rendered.items[f"{position}:{section.topic}"] for position in section.positions]
    pieces += [rendered.more, rendered.closing]
    whole = whole_render(content, edition, template)
    assert "".join(piece.html for piece in pieces) == whole.html
    assert "".join(piece.text for piece in pieces) == whole.text


def test_every_piece_ends_with_a_line_break(rendered: RenderedIssue) -> None:
    pieces = [rendered.opening, rendered.closing, *rendered.sections.values(), *rendered.items.values()]
    assert all(piece.html.endswith("\n") and piece.text.endswith("\n") for piece in pieces)


def test_an_item_has_a_piece_under_each_of_its_topics(rendered: RenderedIssue) -> None:
    assert set(rendered.items) == {f"{item.position}:{topic}" for item in ITEMS for topic in item.topics}
    assert set(rendered.sections) == {topic.slug for topic in TOPICS}


def test_the_pieces_survive_being_stored(rendered: RenderedIssue) -> None:
    assert RenderedIssue.from_json(rendered.to_json()) == rendered


def test_a_page_shows_what_its_edition_holds_and_nothing_else(rendered: RenderedIssue) -> None:
    content = sample_issue()
    page = page_of(rendered, edition_for(content.outline, {SPACE}))
    for form in (page.html, " ".join(page.text.split())):
        assert [item.position for item in ITEMS if item.title in form] == [3, 4, 5]
    assert "\n3 articles\n" in page.text
    assert ">3 articles</span></p>" in page.html
    assert page.subject.startswith("The Saturday Reader: A quiet star")


def test_both_forms_say_the_same(page: Page) -> None:
    plain = " ".join(page.text.split())
    for item in ITEMS:
        for words in (item.title, *item.takeaways):
            assert words in plain
            assert words in page.html
        for url in (item.url, *(other.url for other in item.also)):
            assert url in page.text.split()
            assert f'href="{url}"' in page.html
    for token in PERSONAL:
        assert PERSONAL[token] in page.text


def test_there_is_one_h1_and_an_h2_and_a_list_for_each_article(page: Page) -> None:
    found = outline(page.html)
    assert len(found.named("h1")) == 1
    assert len(found.named("h2")) == len(ITEMS)
    assert len(found.named("ul")) == len(ITEMS)
    assert len(found.named("li")) == sum(len(item.takeaways) for item in ITEMS)


def test_an_article_in_another_language_says_so(page: Page) -> None:
    french = [e for e in outline(page.html).named("div") if e.attributes.get("lang") == "fr"]
    assert len(french) == 1


def test_only_https_images_are_shown(template: EmailTemplate) -> None:
    shown = render_issue(one_item(image=Image("https://example.org/a.png", 'A "quoted" word')), template)
    (image,) = outline(shown.items["0:climate"].html).named("img")
    assert image.attributes["alt"] == 'A "quoted" word'
    assert image.attributes["width"] == "536"
    in_the_clear = render_issue(one_item(image=Image("http://127.0.0.1:8099/a.png", "A")), template)
    assert not outline(in_the_clear.items["0:climate"].html).named("img")


def test_an_article_without_a_safe_link_keeps_its_text(template: EmailTemplate) -> None:
    content = one_item(url="javascript:alert(1)", also=(OtherSource("Bad", "data:text/html,x"),))
    piece = render_issue(content, template).items["0:climate"]
    assert ITEMS[0].title in piece.html
    assert not outline(piece.html).named("a")
    assert "Read at" not in piece.html + piece.text
    assert "Also reported by" not in piece.html + piece.text


def test_a_title_of_which_nothing_can_be_printed_gives_way_to_the_source(template: EmailTemplate) -> None:
    issue = render_issue(one_item(title="\u202e\x00"), template)
    assert issue.titles == ("Meridian",)
    assert ">Meridian</a>" in issue.items["0:climate"].html


def test_a_source_without_a_name_is_called_by_its_host(template: EmailTemplate) -> None:
    nameless = OtherSource("\ufeff", "https://northlight.example.org/a")
    piece = render_issue(one_item(source="\x00", also=(nameless,)), template).items["0:climate"]
    assert "Read at meridian.example.org" in piece.text
    assert "northlight.example.org\nhttps://northlight.example.org/a\n" in piece.text


def test_what_the_editor_wrote_stands_before_what_the_edition_would_say(template: EmailTemplate) -> None:
    content = sample_issue(subject="Our pick", preheader="Twelve good reads")
    page = page_of(render_issue(content, template), everything(content))
    assert page.subject == "Our pick"
    assert "<title>Our pick</title>" in page.html
    assert "Twelve good reads" in page.html


def test_a_long_intro_keeps_its_paragraphs(template: EmailTemplate) -> None:
    opening = render_issue(sample_issue(intro="One.\n\nTwo."), template).opening
    assert "One.\n\nTwo.\n" in opening.text
    assert ">One.</p>" in opening.html


def test_without_an_intro_nothing_stands_in_its_place(template: EmailTemplate) -> None:
    opening = render_issue(sample_issue(intro=""), template).opening
    assert len(outline(opening.html).named("p")) == 1


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 11, 16), date(2026, 11, 22), "16–22 November 2026"),
        (date(2026, 11, 16), date(2026, 11, 16), "16 November 2026"),
        (date(2026, 11, 28), date(2026, 12, 4), "28 November – 4 December 2026"),
        (date(2026, 12, 28), date(2027, 1, 3), "28 December 2026 – 3 January 2027"),
    ],
)
def test_the_days_of_a_window_are_said_once_each(
    first: date, last: date, words: str, template: EmailTemplate
) -> None:
    assert template.phrases("en").days(first, last) == words


def test_thirty_articles_stay_far_below_what_gmail_cuts(template: EmailTemplate) -> None:
    topics = (CLIMATE,)
    items = tuple(replace(ITEMS[0], position=position, topics=topics) for position in range(30))
    content = sample_issue(items=items)
    page = page_of(render_issue(content, template), everything(content))
    assert len(page.html.encode()) < 0.75 * HTML_MAX_BYTES


def test_an_article_weighs_little_and_less_the_denser_it_is_shown(template: EmailTemplate) -> None:
    rendered = render_issue(sample_issue(items=many(13)), template)
    heaviest = [
        max(piece.weight for piece in rendered.pieces(density).values())
        for density in (Density.FULL, Density.COMPACT, Density.HEADLINE)
    ]
    assert [weight <= limit for weight, limit in zip(heaviest, (2600, 1700, 1000), strict=True)] == [True] * 3


@pytest.mark.parametrize("language", ["", "und", "en\r\nBcc: x", '"><script>', "english please"])
def test_a_newsletter_needs_a_real_language(language: str, template: EmailTemplate) -> None:
    with pytest.raises(InvalidInput, match="language tag"):
        render_issue(sample_issue(language=language), template)


def test_a_right_to_left_newsletter_says_so(template: EmailTemplate) -> None:
    opening = render_issue(sample_issue(language="ar"), template).opening
    assert '<html lang="ar" dir="rtl"' in opening.html


def test_items_out_of_order_are_a_mistake_of_the_caller(template: EmailTemplate) -> None:
    with pytest.raises(ValueError, match="order"):
        render_issue(sample_issue(items=ITEMS[::-1]), template)


def test_a_link_that_the_template_spoils_is_refused(
    tmp_path: Path, template_files: Mapping[str, str]
) -> None:
    (tmp_path / "parts").mkdir()
    for name, text in template_files.items():
        changed = text.replace('href="{{ item.url }}"', 'href="x{{ item.url }}"')
        (tmp_path / name).write_text(changed, encoding="utf-8")
    with pytest.raises(Misconfigured, match="'xhttps://"):
        render_issue(sample_issue(), compile_template(tmp_path))


def test_a_value_the_template_cannot_show_is_a_fault_of_the_template(template: EmailTemplate) -> None:
    with pytest.raises(Misconfigured, match=r"body\.mjml \(compiled\) line \d+: 'mail' is undefined"):
        template.fragment("item", {})


def test_tokens_stand_in_the_pieces_as_marks(rendered: RenderedIssue) -> None:
    for token in (Token.UNSUBSCRIBE_URL, Token.PREFERENCES_URL, Token.ONLINE_URL, Token.EMAIL):
        assert token.mark in rendered.closing.html
        assert token.mark in rendered.closing.text
    assert Token.PREHEADER.mark in rendered.opening.html
