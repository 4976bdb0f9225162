"""The managing pages in a real browser: a newsletter led to its first topic, and a look that is typed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.web.site import Site
from tests.web.world import contents

HOME = "/manage/newsletters/saturday"


def test_who_has_nothing_comes_to_a_newsletter_with_a_topic_by_the_pages_alone(
    empty_site: Site, page: Page
) -> None:
    page.goto(f"{empty_site.url}/manage")
    page.get_by_role("link", name="Start a newsletter").click()
    page.get_by_label("Name", exact=True).fill("The Harbour Week")
    page.get_by_label("Short name").fill("harbour-week")
    page.get_by_label("Address it comes from").fill("editors@example.org")
    page.get_by_label("Postal address").fill("1 Quay Street")
    page.get_by_role("button", name="Start it").click()
    expect(page.get_by_role("status").filter(has_text="It is added")).to_be_visible()
    page.get_by_role("link", name="Topics that readers can follow").click()
    page.get_by_role("link", name="Add the first topic").click()
    page.get_by_label("Short name").fill("tides")
    page.get_by_label("Words that tell it").fill("tide\nsea level")
    page.get_by_role("button", name="Try the rule").click()
    expect(page.get_by_role("heading", name="What the rule would do")).to_be_visible()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("link", name="Tides")).to_be_visible()
    page.get_by_role("link", name="All newsletters").click()
    expect(page.get_by_text("Done: Topics that readers can follow")).to_be_visible()


def test_a_look_is_shown_while_it_is_typed_and_told_when_it_cannot_be_read(site: Site, page: Page) -> None:
    before = contents(site.runtime.engine)
    page.goto(f"{site.url}{HOME}/look")
    mail = page.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="The Saturday Reader")).to_be_visible()
    accent = page.get_by_label("Links and topics", exact=True).first
    accent.fill("#0b5394")
    link = mail.get_by_role("link", name="Read at example.org").first
    expect(link).to_have_css("color", "rgb(11, 83, 148)")
    accent.fill("#eeeeee")
    expect(mail.get_by_text("text needs 4.5:1")).to_be_visible()
    assert contents(site.runtime.engine) == before
