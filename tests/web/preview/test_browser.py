"""The preview in a real browser: widths, colours and images as readers have them, and its journeys."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.samples import ITEMS
from tests.servers.browser import ChromiumBrowser
from tests.web.site import Site
from tests.web.world import ADA, CLEO, SENDING

MAIL = f"/issues/{SENDING}/preview/mail"

COLOURS = """() => [...document.querySelectorAll('*')].map(e => {
    const style = getComputedStyle(e);
    return [e.tagName, style.color, style.backgroundColor, style.borderTopColor];
})"""


def colours_of(page: Page, address: str) -> list[list[str]]:
    page.goto(address)
    found: list[list[str]] = page.evaluate(COLOURS)
    return found


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("prefers_dark", [False, True])
def test_chosen_colours_are_those_of_a_reader_who_prefers_them(
    colours: str, prefers_dark: bool, still_site: Site, browser: ChromiumBrowser
) -> None:
    with browser.page(dark=prefers_dark) as page:
        chosen = colours_of(page, f"{still_site.url}{MAIL}?colours={colours}")
    with browser.page(dark=colours == "dark") as page:
        preferred = colours_of(page, f"{still_site.url}{MAIL}")
    with browser.page(dark=colours != "dark") as page:
        other = colours_of(page, f"{still_site.url}{MAIL}")
    assert chosen == preferred
    assert chosen != other, "the control: the mail does ask"


def test_a_phone_is_375_pixels_wide_and_without_images_none_is_shown(
    still_site: Site, browser: ChromiumBrowser
) -> None:
    with browser.page() as page:
        page.goto(f"{still_site.url}/issues/{SENDING}/preview", wait_until="load")
        frame = page.locator("iframe")
        assert frame.evaluate("one => one.clientWidth") > 600
        page.get_by_role("link", name="Phone").click()
        expect(frame).to_have_js_property("clientWidth", 375)
        page.get_by_role("link", name="Without", exact=True).click()
        page.wait_for_url("**images=off*")
        assert page.locator("iframe.phone").count() == 1, "one choice keeps the other"
        page.get_by_role("link", name="Plain text").click()
        page.get_by_label("Plain text", exact=True).wait_for()
        assert "THE SATURDAY READER" in (page.locator("pre.text").text_content() or "").upper()


def test_an_editor_finds_an_issue_and_previews_it_as_three_readers(
    still_site: Site, browser: ChromiumBrowser
) -> None:
    with browser.page() as page:
        page.goto(still_site.url)
        page.get_by_role("link", name="16–22 November 2026").click()
        page.get_by_role("link", name="Preview as a reader").click()
        page.get_by_label("Space").check()
        page.get_by_role("button", name="Show this mix").click()
        frame = page.frame_locator("iframe")
        page.wait_for_url("**?topic=space*")
        headings = [item.title for item in ITEMS if "space" in item.topics]
        frame.get_by_role("heading", level=2).first.wait_for()
        assert sorted(frame.get_by_role("heading", level=2).all_text_contents()) == sorted(headings)
        page.get_by_label("A subscriber").fill(ADA)
        page.get_by_label("A subscriber").press("Enter")
        page.get_by_text("8 of 12 articles, and why").wait_for()
        page.get_by_label("A subscriber").fill(CLEO)
        page.get_by_label("A subscriber").press("Enter")
        page.get_by_text("There is nothing to show.").wait_for()
        assert page.locator("iframe").count() == 0
