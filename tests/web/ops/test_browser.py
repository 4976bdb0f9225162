"""The ops room in a real browser; how its pages look is tried with those of all others in tests/journeys."""

from __future__ import annotations

from playwright.sync_api import expect

from digest.domain.deliveries import DeliveryState
from digest.pipeline.control import pause
from tests.servers.browser import ChromiumBrowser
from tests.web.ops.world import add_mails
from tests.web.people import sign_in_browser
from tests.web.site import Site
from tests.web.world import SENDING


def test_a_schedule_is_made_with_its_dates_in_sight(ops: Site, browser: ChromiumBrowser) -> None:
    with browser.page() as page:
        sign_in_browser(page)
        page.goto(f"{ops.url}/ops/schedules")
        page.get_by_role("link", name="New schedule").click()
        page.get_by_label("Thursday").check()
        expect(page.locator("#dates")).to_contain_text("Every Monday and Thursday at 07:00")
        page.get_by_label("Time zone").fill("Mars/Base")
        page.get_by_label("Time zone").press("Tab")
        expect(page.locator("#dates")).to_contain_text("'Mars/Base' is not a time zone")
        page.get_by_label("Time zone").fill("Asia/Tokyo")
        page.get_by_role("button", name="Make the schedule").click()
        expect(page.get_by_role("status").filter(has_text="The schedule is made.")).to_be_visible()
        assert "Asia/Tokyo" in page.locator("main").inner_text()


def test_what_cannot_be_taken_back_is_asked_for_twice(ops: Site, browser: ChromiumBrowser) -> None:
    with browser.page() as page:
        sign_in_browser(page)
        page.goto(f"{ops.url}/ops/schedules")
        remove = page.get_by_role("button", name="Remove it")
        assert remove.count() == 0, "it is not there before it is asked for"
        page.get_by_text("Remove …").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("go for good. Issues stay.")).to_be_visible()
        remove.click()
        expect(page.get_by_text("No schedule yet")).to_be_visible()


def test_a_running_send_is_watched_paused_and_taken_up_again(ops: Site, browser: ChromiumBrowser) -> None:
    engine = ops.runtime.engine
    with browser.page() as page:
        sign_in_browser(page)
        page.goto(f"{ops.url}/ops/sends/{SENDING}")
        live = page.locator("#live")
        expect(live).to_contain_text("0 of 2 done")
        add_mails(engine, DeliveryState.ACCEPTED, 5)
        expect(live).to_contain_text("5 of 7 done", timeout=20_000)
        page.get_by_role("button", name="Hold the figures still").click()
        page.get_by_role("button", name="Show the figures live").click()
        page.get_by_text("Pause …").click()
        page.get_by_label("Why, for the others").first.fill("wrong date")
        page.get_by_role("button", name="Pause it").click()
        expect(page.locator("#live")).to_contain_text("wrong date")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("The send goes on where it was.")).to_be_visible()
        pause(ops.runtime, SENDING, by="somebody else")
        expect(page.get_by_role("button", name="Go on")).to_be_visible(timeout=20_000)
