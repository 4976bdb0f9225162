"""The mail in a real browser: nothing sideways, nothing too pale, nothing too small, nothing executed."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Route, sync_playwright
from playwright.sync_api import Page as Tab

from digest.compose.render import EmailTemplate, render_issue
from digest.domain.articles import Image
from digest.domain.issues import IssueTopic, OtherSource
from digest.domain.mail import Page
from tests.compose.test_hostile_text import HOSTILE
from tests.compose.test_themed_mail import THEME
from tests.samples import CLIMATE, ITEMS, everything, issue_in, one_item, page_of, sample_issue

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

TEXTS = """() => {
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = rgb(color).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (rgb(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(style.color), luminance(behind(element))].sort((a, b) => b - a);
    seen.push({
      text: walker.currentNode.data.trim().slice(0, 40),
      size: parseFloat(style.fontSize),
      contrast: (light + 0.05) / (dark + 0.05),
    });
  }
  return seen;
}"""
"""Every visible text with its size and its contrast against what is behind it (WCAG 2.2 §1.4.3)."""


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

SIZES = "elements => elements.map(element => getComputedStyle(element).fontSize)"


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


IMAGE = png(1200, 630)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def without_network(route: Route) -> None:
    if route.request.resource_type == "image":
        route.fulfill(body=IMAGE, content_type="image/png")
    else:
        route.abort()


def opened(browser: Browser, page: Page, *, width: int = 375, scheme: str = "light") -> Tab:
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    tab.route("**/*", without_network)
    tab.set_content(page.html, wait_until="load")
    return tab


KEPT = Path(__file__).resolve().parents[2] / "test-output" / "mail"
"""Where the screenshots of the last run are."""

SCREENS = [
    *product(("en-40",), (320, 640), ("light", "dark")),
    *product(("ar-3",), (320, 375), ("light", "dark")),
    *product(("de-1",), (375,), ("dark",)),
    *product(("themed-12",), (375, 1280), ("light", "dark")),
    *product(("fr-3", "es-3"), (375,), ("light",)),
]


@pytest.fixture(scope="module")
def editions(template: EmailTemplate) -> dict[str, Page]:
    issues = {
        "en-40": issue_in("en", 40),
        "ar-3": issue_in("ar", 3),
        "de-1": issue_in("de", 1, pictures=False),
    }
    issues |= {f"{language}-3": replace(issue_in("en", 3), language=language) for language in ("fr", "es")}
    pages = {name: page_of(render_issue(c, template), everything(c)) for name, c in issues.items()}
    content = issue_in("en", 12)
    themed = render_issue(content, replace(template, theme=THEME))
    return {**pages, "themed-12": page_of(themed, everything(content))}


@pytest.mark.parametrize(("name", "width", "scheme"), SCREENS)
def test_an_edition_can_be_read_on_any_screen(
    name: str, width: int, scheme: str, chromium: Browser, editions: dict[str, Page]
) -> None:
    tab = opened(chromium, editions[name], width=width, scheme=scheme)
    texts = tab.evaluate(TEXTS)
    KEPT.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=KEPT / f"{name}-{width}-{scheme}.png", full_page=True)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert [text for text in texts if text["contrast"] < 4.5 or text["size"] < 14] == []
    assert all(box["height"] >= 44 for box in boxes_of(tab, ".headline a, a.accent, a.online, a.unsubscribe"))
    tab.close()


@pytest.mark.parametrize("name", ["en-40", "ar-3"])
def test_text_of_twice_the_size_still_fits(name: str, chromium: Browser, editions: dict[str, Page]) -> None:
    tab = opened(chromium, editions[name], width=375)
    tab.evaluate(TWICE)
    assert tab.evaluate("document.documentElement.scrollWidth") == 375
    heights = tab.evaluate(LINE_HEIGHTS)
    assert min(heights) >= 1.1
    tab.close()


def test_a_mail_in_arabic_begins_at_the_right(chromium: Browser, editions: dict[str, Page]) -> None:
    tab = opened(chromium, editions["ar-3"])
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
    tab.close()


@pytest.mark.parametrize("width", [320, 375, 640, 1200])
def test_nothing_reaches_beyond_the_side_of_the_screen(width: int, chromium: Browser, page: Page) -> None:
    tab = opened(chromium, page, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    boxes = [image.bounding_box() for image in tab.locator("img").all()]
    assert len(boxes) == 2
    assert all(box and box["width"] <= width - 40 for box in boxes)


def test_a_name_with_a_long_word_is_set_smaller(chromium: Browser, template: EmailTemplate) -> None:
    sizes = {}
    for name in ("Die Wochenlese", "Donaudampfschifffahrts-Rundschau", "Gesundheitswirtschaftliches"):
        content = replace(issue_in("de", 1), newsletter=name)
        tab = opened(chromium, page_of(render_issue(content, template), everything(content)))
        sizes[name] = tab.locator("h1").evaluate("e => getComputedStyle(e).fontSize")
        box = tab.locator("h1").bounding_box()
        assert box
        assert box["width"] <= 335
        tab.close()
    assert list(sizes.values()) == ["36px", "25px", "25px"]


def test_a_word_that_never_ends_is_broken(chromium: Browser, template: EmailTemplate) -> None:
    word = "w" * 10_000
    content = one_item(
        title=word, takeaways=(word,), source=word, also=(OtherSource(word, "https://example.org/"),)
    )
    tab = opened(chromium, page_of(render_issue(content, template), everything(content)))
    assert tab.evaluate("document.documentElement.scrollWidth") == 375


def boxes_of(tab: Tab, selector: str) -> list[FloatRect]:
    boxes = [element.bounding_box() for element in tab.locator(selector).all()]
    assert boxes
    return [box for box in boxes if box]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(scheme: str, chromium: Browser, page: Page) -> None:
    texts = opened(chromium, page, scheme=scheme).evaluate(TEXTS)
    assert len(texts) > 80
    assert [text for text in texts if text["contrast"] < 4.5] == []
    assert [text for text in texts if text["size"] < 13] == []


def test_the_body_is_at_least_16_pixels(chromium: Browser, page: Page) -> None:
    texts = opened(chromium, page).locator("li, p.intro, h2 + p + ul")
    assert set(texts.evaluate_all(SIZES)) == {"16px", "19px"}


def test_a_dark_screen_gets_a_dark_page(chromium: Browser, page: Page) -> None:
    for scheme, is_dark in (("light", False), ("dark", True)):
        tab = opened(chromium, page, scheme=scheme)
        color = tab.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
        assert (max(map(int, color[4:-1].split(","))) < 64) is is_dark


def test_links_to_press_are_44_pixels_high(chromium: Browser, page: Page) -> None:
    tab = opened(chromium, page)
    names = ["Read at Meridian", "Choose your topics", "Unsubscribe", "View online"]
    for name in names:
        box = tab.get_by_role("link", name=name).first.bounding_box()
        assert box
        assert box["height"] >= 44, name


def test_headings_lists_and_links_are_what_a_screen_reader_expects(chromium: Browser, page: Page) -> None:
    tab = opened(chromium, page)
    assert tab.get_by_role("heading", level=1).all_text_contents() == ["The Saturday Reader"]
    assert tab.get_by_role("heading", level=2).all_text_contents() == [item.title for item in ITEMS]
    assert tab.get_by_role("listitem").count() == sum(len(item.takeaways) for item in ITEMS)
    assert tab.get_by_role("table").count() == 0


def test_the_preheader_is_not_seen(chromium: Browser, page: Page) -> None:
    tab = opened(chromium, page)
    assert not tab.get_by_text("A school for heat-pump fitters", exact=False).first.is_visible()
    assert tab.get_by_text("A school for heat-pump fitters", exact=False).last.is_visible()


def test_hostile_text_runs_nothing(chromium: Browser, template: EmailTemplate) -> None:
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
    tab = opened(chromium, page)
    assert {name for name in ("full", "compact", "headline") if tab.locator(f".{name}").count()} == {
        "full",
        "compact",
        "headline",
    }
    assert tab.title() != "owned"
    assert tab.locator("script, iframe, form, svg, [onerror], [onload], [onmouseover]").count() == 0
    naive = opened(chromium, Page("", f"<title>t</title><p>{poison}</p>", ""))
    assert naive.title() == "owned", "the control: the same text, unescaped, does run"
