"""Every page of the router in its pictures: light, dark and on a phone; and what is wrong with it there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page

from digest.domain.accounts import Role
from tests.journeys.conftest import House
from tests.journeys.places import DOORS, MAILS, MISSING, NO_PAGES, address_of, name_of, pages
from tests.servers.browser import ChromiumBrowser, photograph
from tests.web.axe import CONTRAST, faults
from tests.web.people import sign_in_browser
from tests.web.site import Site
from tests.web.test_browser import overflow

PICTURES = Path(__file__).resolve().parents[2] / "build" / "screenshots"
"""Where the pictures of the last run are."""


class Screen(NamedTuple):
    """A kind of screen: its name, its width in pixels, its colours; axe’s rules, () all, None none."""

    name: str
    width: int
    colours: str
    rules: tuple[str, ...] | None = ()


# Each page once by all rules, and by those of its colours in the other ones.
SCREENS = (
    Screen("light", 1280, "light", None),
    Screen("dark", 1280, "dark", (CONTRAST,)),
    Screen("narrow", 375, "light"),
)

TALLEST = 2600
"""Pixels of a page that are in its picture."""

WITHOUT_ITS_REPEATS = """() => {
  for (const call of document.querySelectorAll("article.call ~ article.call")) call.remove();
}"""
"""The reference of the API has a hundred calls of one form: axe would take half a minute for them."""


UNFOLDED = """() => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    part.open = true;
    part.dataset.unfolded = "";
  }
}"""
FOLDED = """() => {
  for (const part of document.querySelectorAll("details[data-unfolded]")) part.open = false;
}"""
"""What is folded away is looked at, too, though not photographed."""


OF_ITS_OWN = {path for path in NO_PAGES if "{token}" in path or "{name}" in path}
"""What answers only to an address that something else has made."""


NO_DESK = DOORS | MISSING
"""Pages that show nothing of what is kept."""


@pytest.fixture(scope="module")
def page(browser: ChromiumBrowser) -> Iterator[Page]:
    """One tab for all pages."""
    with browser.page() as page:
        yield page


@pytest.mark.parametrize("path", pages())
def test_a_page_has_its_pictures_and_no_fault_is_found_in_them(path: str, house: House, page: Page) -> None:
    page.context.clear_cookies()
    if path not in DOORS:
        sign_in_browser(page, Role.ADMIN)
    page.set_viewport_size({"width": 1280, "height": 800})
    answer = page.goto(house.site.url + address_of(path, house.tokens), wait_until="load")
    assert answer
    assert answer.status == (404 if path in MISSING else 200)
    assert page.title(), "a page has a title"
    page.evaluate(WITHOUT_ITS_REPEATS)
    for screen in SCREENS:
        photograph_on(page, name_of(path), screen)
        page.evaluate(UNFOLDED)
        assert overflow(page) == 0, f"it goes beyond the side of a {screen.name} screen"
        if path not in MAILS and screen.rules is not None:
            assert faults(page, *screen.rules) == [], screen.name


@pytest.mark.parametrize("path", [path for path in pages() if "{" not in path and path not in NO_DESK])
def test_a_page_with_nothing_to_show_says_what_can_be_done(path: str, bare: Site, page: Page) -> None:
    page.context.clear_cookies()
    sign_in_browser(page, Role.ADMIN)
    page.goto(bare.url + path, wait_until="load")
    page.evaluate(WITHOUT_ITS_REPEATS)
    photograph_on(page, f"empty-{name_of(path)}", SCREENS[0])
    assert page.locator("main > :not(nav) :is(a, button, code)").count(), "a dead end"


def photograph_on(page: Page, name: str, screen: Screen) -> None:
    """Turn the page to this kind of screen, and keep its picture."""
    page.set_viewport_size({"width": screen.width, "height": 800})
    page.emulate_media(color_scheme=screen.colours)  # type: ignore[arg-type]
    page.evaluate(FOLDED)
    # A screen as tall as the page: what lies below the screen, a browser leaves unpainted in frames.
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": screen.width, "height": min(TALLEST, height)})
    photograph(page, PICTURES / f"{name}-{screen.name}.png")


@pytest.mark.parametrize("path", sorted(NO_PAGES - OF_ITS_OWN))
def test_what_is_left_out_is_no_page(path: str, house: House) -> None:
    with house.site.client.stream("GET", address_of(path, house.tokens)) as answer:
        if not answer.headers["content-type"].startswith("text/html"):
            return  # not read: one of them streams
        assert "<html" not in answer.read().decode()


def test_every_page_has_a_name_of_its_own() -> None:
    names = [name_of(path) for path in pages()]
    assert len(set(names)) == len(names)
