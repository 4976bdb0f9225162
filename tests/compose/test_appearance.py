"""The mail in a real browser: nothing sideways, nothing too pale, nothing too small, nothing executed."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect
from playwright.sync_api import Page as Tab

from digest.compose.render import EmailTemplate, render_issue
from digest.domain.articles import Image
from digest.domain.issues import IssueTopic, OtherSource
from digest.domain.mail import Page
from tests.compose.editions import KINDS, LANGUAGES, SIZES, name_of
from tests.compose.screens import Looks, Scheme, looks_of, show, turn
from tests.compose.test_hostile_text import HOSTILE
from tests.compose.test_themed_mail import THEME
from tests.samples import CLIMATE, ITEMS, everything, issue_in, one_item, page_of, sample_issue
from tests.servers.browser import photograph

WIDTHS = (320, 375, 640, 1280)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

KEPT = Path(__file__).resolve().parents[2] / "test-output" / "mail"
"""Where the screenshots of the last run are."""

PHOTOGRAPHED = (320, 375, 640)


TWICE = """() => {
  const all = [...document.body.querySelectorAll("*")];
  const sizes = all.map(element => [element, parseFloat(getComputedStyle(element).fontSize)]);
  for (const [element, size] of sizes) element.style.setProperty("font-size", `${2 * size}px`, "important");
}"""
"""Make all text twice as large, as a reader's own setting does (WCAG 2.2 §1.4.4)."""

LINE_HEIGHTS = """() => [...document.querySelectorAll("h1, h2, p, li, a")].map(e => {
  const style = getComputedStyle(e);
  return parseFloat(style.lineHeight) / parseFloat(style.fontSize);
})"""

FONT_SIZES = "elements => elements.map(element => getComputedStyle(element).fontSize)"


def screens_kept(size: int, language: str, pictures: bool) -> list[tuple[int, Scheme]]:
    """Return where an edition is photographed: the six editions of a size share the six screens."""
    screens = list(product(PHOTOGRAPHED, SCHEMES))
    number = 2 * LANGUAGES.index(language) + pictures + SIZES.index(size)
    return [screens[number % len(screens)]]


@pytest.mark.parametrize(("size", "language", "pictures"), KINDS)
def test_an_edition_can_be_read_on_any_screen(
    size: int, language: str, pictures: bool, chromium: Tab, editions: Mapping[str, Page]
) -> None:
    name = name_of(size, language, pictures)
    tab = show(chromium, editions[name])
    for width, scheme in product(WIDTHS, SCHEMES):
        turn(tab, width, scheme)
        if (width, scheme) in screens_kept(size, language, pictures):
            photograph(tab, KEPT / f"{name}-{width}-{scheme}.png", whole=True)
        looks = looks_of(tab)
        assert looks.texts > 20
        assert looks == Looks(width, looks.texts, pale=[], small=[], tight=[], beside=[]), (width, scheme)


@pytest.mark.parametrize("name", ["fr", "es", "themed"])
def test_other_words_and_colours_can_be_read_on_any_screen(
    name: str, chromium: Tab, template: EmailTemplate
) -> None:
    content = issue_in("en", 3) if name == "themed" else replace(issue_in("en", 3), language=name)
    look = replace(template, theme=THEME) if name == "themed" else template
    tab = show(chromium, page_of(render_issue(content, look), everything(content)))
    for width, scheme in product((375, 1280), SCHEMES):
        turn(tab, width, scheme)
        photograph(tab, KEPT / f"{name}-3-{width}-{scheme}.png", whole=True)
        looks = looks_of(tab)
        assert looks == Looks(width, looks.texts, pale=[], small=[], tight=[], beside=[]), (width, scheme)


@pytest.mark.parametrize("name", ["en-40", "ar-3"])
def test_text_of_twice_the_size_still_fits(name: str, chromium: Tab, editions: Mapping[str, Page]) -> None:
    tab = show(chromium, editions[name], width=375)
    tab.evaluate(TWICE)
    assert tab.evaluate("document.documentElement.scrollWidth") == 375
    heights = tab.evaluate(LINE_HEIGHTS)
    assert min(heights) >= 1.1


def test_a_mail_in_arabic_begins_at_the_right(chromium: Tab, editions: Mapping[str, Page]) -> None:
    tab = show(chromium, editions["ar-3"])
    # Nobody has put our own words into Arabic yet: they stay English, in their direction, at its side.
    for words, direction in [*((own, "rtl") for own in ("h1", "h2", "li", ".intro")), (".why", "ltr")]:
        style = tab.locator(words).first.evaluate(
            "e => [getComputedStyle(e).direction, getComputedStyle(e).textAlign]"
        )
        assert style[0] == direction, words
        assert style[1] in {"right", "start"}, words
    heading, point = tab.locator("h2").first.bounding_box(), tab.locator("li").first.bounding_box()
    assert heading
    assert point
    assert heading["x"] == point["x"]
    assert round(heading["x"] + heading["width"] - point["x"] - point["width"]) == 20
    online = tab.locator("a.online").first.bounding_box()
    assert online
    assert online["x"] == 20


@pytest.mark.parametrize("width", [320, 375, 640, 1200])
def test_nothing_reaches_beyond_the_side_of_the_screen(width: int, chromium: Tab, page: Page) -> None:
    tab = show(chromium, page, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    boxes = [image.bounding_box() for image in tab.locator("img").all()]
    assert len(boxes) == 2
    assert all(box and box["width"] <= width - 40 for box in boxes)


def test_a_name_with_a_long_word_is_set_smaller(chromium: Tab, template: EmailTemplate) -> None:
    sizes = {}
    for name in ("Die Wochenlese", "Donaudampfschifffahrts-Rundschau", "Gesundheitswirtschaftliches"):
        content = replace(issue_in("de", 1), newsletter=name)
        tab = show(chromium, page_of(render_issue(content, template), everything(content)))
        sizes[name] = tab.locator("h1").evaluate("e => getComputedStyle(e).fontSize")
        box = tab.locator("h1").bounding_box()
        assert box
        assert box["width"] <= 335
    assert list(sizes.values()) == ["36px", "25px", "25px"]


def test_a_word_that_never_ends_is_broken(chromium: Tab, template: EmailTemplate) -> None:
    word = "w" * 10_000
    content = one_item(
        title=word, takeaways=(word,), source=word, also=(OtherSource(word, "https://example.org/"),)
    )
    tab = show(chromium, page_of(render_issue(content, template), everything(content)))
    assert tab.evaluate("document.documentElement.scrollWidth") == 375


def boxes_of(tab: Tab, selector: str) -> list[FloatRect]:
    boxes = [element.bounding_box() for element in tab.locator(selector).all()]
    assert boxes
    return [box for box in boxes if box]


def test_the_body_is_at_least_16_pixels(chromium: Tab, page: Page) -> None:
    texts = show(chromium, page).locator("li, p.intro, h2 + p + ul")
    assert set(texts.evaluate_all(FONT_SIZES)) == {"16px", "19px"}


def test_a_dark_screen_gets_a_dark_page(chromium: Tab, page: Page) -> None:
    for scheme, is_dark in (("light", False), ("dark", True)):
        tab = show(chromium, page, scheme=scheme)
        color = tab.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
        assert (max(map(int, color[4:-1].split(","))) < 64) is is_dark


def test_links_to_press_are_44_pixels_high(chromium: Tab, page: Page) -> None:
    tab = show(chromium, page)
    names = ["Read at Meridian", "Choose your topics", "Unsubscribe", "View online"]
    for name in names:
        box = tab.get_by_role("link", name=name).first.bounding_box()
        assert box
        assert box["height"] >= 44, name


def test_headings_lists_and_links_are_what_a_screen_reader_expects(chromium: Tab, page: Page) -> None:
    tab = show(chromium, page)
    assert tab.get_by_role("heading", level=1).all_text_contents() == ["The Saturday Reader"]
    assert tab.get_by_role("heading", level=2).all_text_contents() == [item.title for item in ITEMS]
    assert tab.get_by_role("listitem").count() == sum(len(item.takeaways) for item in ITEMS)
    assert tab.get_by_role("table").count() == 0


def test_the_preheader_is_not_seen(chromium: Tab, page: Page) -> None:
    tab = show(chromium, page)
    assert not tab.get_by_text("A school for heat-pump fitters", exact=False).first.is_visible()
    assert tab.get_by_text("A school for heat-pump fitters", exact=False).last.is_visible()


def test_hostile_text_runs_nothing(chromium: Tab, template: EmailTemplate) -> None:
    poison = " ".join(text.replace("alert(1)", "document.title=`owned`") for text in HOSTILE[:14])
    (item,) = one_item(
        title=poison,
        takeaways=(poison,),
        source=poison,
        image=Image("https://example.org/a.png", poison),
        also=(OtherSource(poison, "https://x.org/"),),
    ).items
    issue = sample_issue(
        # As many as it takes for the item to be shown in every density.
        items=tuple(replace(item, position=position) for position in range(32)),
        topics=(IssueTopic(CLIMATE, poison),),
        newsletter=poison,
        intro=poison,
        subject=poison,
        preheader=poison,
        sender_name=poison,
        postal_address=poison,
    )
    page = page_of(render_issue(issue, template), everything(issue))
    tab = show(chromium, page)
    assert {name for name in ("full", "compact", "headline") if tab.locator(f".{name}").count()} == {
        "full",
        "compact",
        "headline",
    }
    assert tab.title() != "owned"
    assert tab.locator("script, iframe, form, svg, [onerror], [onload], [onmouseover]").count() == 0
    naive = show(chromium, Page("", f"<title>t</title><p>{poison}</p>", ""))
    assert naive.title() == "owned", "the control: the same text, unescaped, does run"
