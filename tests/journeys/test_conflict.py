"""Two editors at the same draft: each is told of the other, and no word of either is lost."""

from __future__ import annotations

from playwright.sync_api import expect

from digest.domain.accounts import Role
from digest.pipeline.drafts import draft_of
from digest.store.database import reading
from digest.store.edits import About, Field
from tests.journeys.person import signed_in
from tests.servers.browser import ChromiumBrowser
from tests.web.people import NAMES
from tests.web.site import Site
from tests.web.world import DRAFT

EDITH, ADA = NAMES[Role.EDITOR], NAMES[Role.ADMIN]
HERS, OTHERS = "A star, and its weather", "The weather of a star"


def headline_in(site: Site) -> str:
    with reading(site.runtime.engine) as session:
        draft = draft_of(session, DRAFT)
    return draft.standing.get(About(Field.HEADLINE, draft.items[0].id), "")


def test_two_editors_write_one_headline_and_both_are_kept(site: Site, browser: ChromiumBrowser) -> None:
    with (
        signed_in(browser, site, Role.EDITOR) as edith,
        signed_in(browser, site, Role.ADMIN) as ada,
    ):
        for editor in (edith, ada):
            editor.opens("/")
            editor.comes_to("Digest")
            editor.follows("23–29 November 2026")
            editor.follows("Shape the draft")
            editor.comes_to("Draft of 23–29 November 2026")
            editor.follows("Edit")
            editor.comes_to("23–29 November 2026 – Digest")

        edith.writes(HERS, into="Headline").blur()
        edith.reads("Saved.")
        mine = ada.writes(OTHERS, into="Headline")
        mine.blur()
        ada.reads(f"{EDITH} changed this")
        expect(mine).to_have_value(OTHERS)
        ada.looks_around()
        assert headline_in(site) == HERS, "the second did not overwrite the first"
        ada.presses("Replace theirs with mine")
        ada.reads("Saved.")
        assert headline_in(site) == OTHERS, "she saw what she replaced"

        edith.follows("Back to the draft")
        edith.comes_to("Draft of")
        edith.reads(OTHERS)
        edith.follows("2 changes")
        edith.comes_to("What was changed")
        edith.reads(ADA)
        edith.opens_up("Before and after")
        edith.reads(HERS)
        edith.presses("Change back")
        edith.comes_to("What was changed")
        assert headline_in(site) == HERS, "what was replaced came back"


def test_what_one_editor_dropped_another_does_not_move(site: Site, browser: ChromiumBrowser) -> None:
    with (
        signed_in(browser, site, Role.EDITOR) as edith,
        signed_in(browser, site, Role.ADMIN) as ada,
    ):
        for editor in (edith, ada):
            editor.opens(f"/issues/{DRAFT}/draft")
        edith.presses("Drop")
        edith.reads("Dropped")
        ada.presses("Pin")
        ada.reads("the articles are shown as they are now")
        ada.reads("Bring back")
        ada.presses("Bring back")
        expect(ada.page.locator("#dropped")).to_have_count(0)


def test_without_scripts_the_choice_is_a_page_of_its_own(site: Site, browser: ChromiumBrowser) -> None:
    with signed_in(browser, site, Role.ADMIN, scripts=False) as ada:
        ada.opens(f"/issues/{DRAFT}/draft")
        ada.writes("Mine", into="Subject")
        with site.seen_by(Role.EDITOR) as edith:
            edith.submit(f"/issues/{DRAFT}/draft/fields/subject", to="Hers")
        ada.presses("Save the subject")
        expect(ada.page.get_by_role("heading", level=1)).to_have_text("Two editors changed the subject")
        expect(ada.page.get_by_label("Yours")).to_have_value("Mine")
        ada.reads("Hers")
        ada.follows("Keep theirs")
        expect(ada.page.get_by_label("Subject", exact=True)).to_have_value("Hers")
