"""The archive in a real browser, without scripts: all can be read, reached and chosen."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from digest.domain.newsletters import NewsletterId
from digest.store.base import storable
from digest.store.database import writing
from digest.store.newsletters import change_newsletter
from tests.compose.screens import looks_of
from tests.samples import ITEMS, issue_in, sample_issue
from tests.web.archived import HOME, retell
from tests.web.site import Site
from tests.web.test_browser import POISON, overflow

PAGES = [
    HOME,
    f"{HOME}?topic=space&topic=food",
    f"{HOME}?topic=oceans",
    f"{HOME}/topics",
    f"{HOME}/2",
    f"{HOME}/3",
    f"{HOME}/3?topic=space",
    f"{HOME}/3?topic=oceans",
    f"{HOME}/99",
    "/archive/nobody",
]


_BEHIND_THE_HEADING = """() => {
  const around = [document.querySelector("h1"), document.querySelector("main"), document.body];
  return around.map(e => getComputedStyle(e).backgroundColor + getComputedStyle(e).fontFamily).join();
}"""


@pytest.fixture
def arabic(own_archive: Site) -> Site:
    content = replace(issue_in("ar", 12), number=3)
    with writing(own_archive.runtime.engine) as session:
        retell(session, content)
        change_newsletter(session, NewsletterId(1), name=content.newsletter, language="ar")
    return own_archive


def test_no_page_scrolls_sideways(archive: Site, page: Page) -> None:
    for path in PAGES:
        page.goto(archive.url + path)
        for width in (320, 375, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert overflow(page) == 0, f"{path} at {width} pixels"


def test_all_text_can_be_read_in_the_light_and_in_the_dark(archive: Site, page: Page) -> None:
    for path in PAGES:
        page.goto(archive.url + path)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            looks = looks_of(page, smallest=13)
            assert looks.texts >= 2, path
            assert (looks.pale, looks.small) == ([], []), (path, scheme)


def test_an_error_looks_like_every_other_page(archive: Site, page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        seen = set()
        for path in (HOME, "/archive/nobody", f"{HOME}/99", f"{HOME}?before=x"):
            page.goto(archive.url + path)
            seen.add(page.evaluate(_BEHIND_THE_HEADING))
        assert len(seen) == 1, scheme


def test_every_page_has_landmarks_one_heading_and_no_level_left_out(archive: Site, page: Page) -> None:
    for path in PAGES:
        page.goto(archive.url + path)
        assert page.title(), path
        assert page.get_by_role("main").count() == 1, path
        levels = [
            int(heading.evaluate("e => e.tagName")[1]) for heading in page.locator("h1, h2, h3, h4").all()
        ]
        assert levels.count(1) == 1, path
        assert levels[0] == 1, path
        assert all(after - before <= 1 for before, after in pairwise(levels)), path
        assert page.locator("[id]").count() == len(
            set(page.locator("[id]").evaluate_all("all => all.map(e => e.id)"))
        ), path
        for name in page.get_by_role("navigation").all():
            assert name.get_attribute("aria-label"), path


def test_a_visitor_chooses_topics_and_reads_on_with_the_keyboard_alone(archive: Site, page: Page) -> None:
    page.goto(archive.url + HOME)
    page.get_by_text("Only some topics").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Space").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Issues about Space").wait_for()
    page.get_by_role("link", name="16–22 November 2026").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/archive/saturday/3?topic=space")
    shown = [item.title for item in ITEMS if "space" in item.topics]
    assert sorted(page.get_by_role("heading", level=3).all_text_contents()) == sorted(shown)
    page.get_by_role("link", name="show all").click()
    page.wait_for_url("**/archive/saturday/3")
    assert page.get_by_role("heading", level=3).count() == len(ITEMS)
    page.get_by_role("link", name="Previous issue").click()
    page.wait_for_url("**/archive/saturday/2")


def test_what_is_pressed_with_a_finger_is_large_enough(archive: Site, page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto(f"{archive.url}{HOME}/3?topic=space")
    for pressed in page.locator("button, summary, nav a, .follow a, label.tick").all():
        box = pressed.bounding_box()
        assert box
        assert box["height"] >= 38, pressed.text_content()


def test_arabic_begins_on_the_right(arabic: Site, page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    for path in (HOME, f"{HOME}/3?topic=space", f"{HOME}/3"):
        page.goto(f"{arabic.url}{path}")
        assert overflow(page) == 0, path
    for selector in ("main h2", "main h3", "main li", ".intro p"):
        direction = page.locator(selector).first.evaluate("e => getComputedStyle(e).direction")
        assert direction == "rtl", selector


def test_hostile_words_run_nowhere_and_fit_a_phone(own_archive: Site, page: Page) -> None:
    item = replace(ITEMS[0], position=0, title=POISON, takeaways=(POISON, "w" * 10_000), source=POISON)
    content = sample_issue(items=(item,), subject=POISON, intro=POISON, number=3)
    topics = tuple(replace(topic, name=POISON) for topic in content.topics)
    with writing(own_archive.runtime.engine) as session:
        retell(session, replace(content, topics=topics))
        change_newsletter(session, NewsletterId(1), name=storable(POISON)[:200], postal_address=POISON[:500])
    page.set_viewport_size({"width": 375, "height": 800})
    for path in PAGES:
        page.goto(own_archive.url + path)
        assert page.title() not in {"owned", "1"}, path
        assert page.locator("script:not([type='application/ld+json']), svg, [onerror], [onload]").count() == 0
        assert overflow(page) == 0, path
