"""Somebody who may look at everything and change nothing: no page shows them what would refuse them."""

from __future__ import annotations

from playwright.sync_api import expect

from digest.domain.accounts import Role
from tests.journeys.conftest import House
from tests.journeys.person import Person, signed_in
from tests.servers.browser import ChromiumBrowser
from tests.web.world import SENDING


def has_nothing_to_change(person: Person) -> None:
    buttons = person.page.locator("main form[method=post] button:enabled")
    fields = person.page.locator(
        "main form[method=post] :is(input, textarea, select):enabled:not([readonly])"
    )
    expect(buttons).to_have_count(0)
    expect(fields.and_(person.page.locator(":visible"))).to_have_count(0)


def test_a_viewer_reads_everything_and_is_offered_nothing_to_change(
    house: House, browser: ChromiumBrowser
) -> None:
    with signed_in(browser, house.site, Role.VIEWER) as vera:
        vera.opens("/")
        for steps in (
            ("23–29 November 2026", "Preview as a reader"),
            ("23–29 November 2026", "Where it is from"),
            ("16–22 November 2026", "Preview as a reader"),
            ("16–22 November 2026", "How the send goes"),
            ("Ops", "Schedules"),
            ("Ops", "Runs", "The Saturday Reader"),
            ("Ops", "Suppressions"),
            ("Ops", "Health"),
            ("Ops", "Figures"),
            ("Manage", "The Saturday Reader"),
            ("Manage", "6 sources", "Meridian"),
            ("Manage", "5 topics", "Climate & energy"),
        ):
            vera.opens("/")
            for step in steps:
                vera.follows(step)
                vera.page.wait_for_load_state()
                has_nothing_to_change(vera)
        vera.opens(f"/ops/sends/{SENDING}/unknown")
        vera.reads("r251@example.org")
        has_nothing_to_change(vera)
        vera.opens("/accounts")
        vera.comes_to("You may not do that")
        vera.reads("an admin may")
