"""Monday morning: an editor shapes the draft, sees it as readers will, mends an error, and hands it on."""

from __future__ import annotations

import re

from playwright.sync_api import FrameLocator, expect
from sqlalchemy import update

from digest.domain.accounts import Role
from digest.domain.issues import IssueState
from digest.pipeline.drafts import draft_of
from digest.store.database import reading, writing
from digest.store.issues import get_issue
from digest.store.newsletters import NewsletterRow
from tests.journeys.person import Person, signed_in
from tests.servers.browser import ChromiumBrowser
from tests.web.people import NAMES
from tests.web.site import Site
from tests.web.world import ADA, BEN, CLEO, DRAFT

WEEK = "23–29 November 2026"
PEAT, STAR, BOND = "Rewetted peat", "A quiet star", "Launch companies"


def order_of(site: Site) -> list[str]:
    with reading(site.runtime.engine) as session:
        items = draft_of(session, DRAFT).items
    return [" ".join(item.moved.stored.article.title.split()[:2]) for item in items]


def previews_as(editor: Person, email: str) -> FrameLocator:
    editor.writes(email, into="A subscriber, by a part of their address").press("Enter")
    expect(editor.page.get_by_role("heading", name=f"As {email} gets it")).to_be_visible()
    return editor.page.frame_locator("iframe")


def titles_in(mail: FrameLocator, *beginnings: str) -> None:
    """Wait until the mail holds these articles and no other."""
    expect(mail.get_by_role("heading", level=2)).to_have_text([re.compile(one) for one in beginnings])


def test_an_editor_shapes_previews_mends_and_another_approves(site: Site, browser: ChromiumBrowser) -> None:
    with writing(site.runtime.engine) as session:
        session.execute(update(NewsletterRow).values(second_eyes=True))
    with signed_in(browser, site, Role.EDITOR) as edith:
        edith.opens("/")
        edith.comes_to("Digest")
        edith.follows(WEEK)
        edith.comes_to(WEEK)
        edith.follows("Shape the draft")
        edith.comes_to(f"Draft of {WEEK}")
        shapes(edith, site)
        sees_three_readers(edith)
        meets_an_error_and_mends_it(edith)
        edith.reads("nobody approves what they changed last")
        edith.reads(f"{NAMES[Role.EDITOR]} changed it last, so somebody else approves it.")
        expect(edith.page.get_by_role("button", name="Approve what is shown")).to_have_count(0)
        edith.writes("the intro is new", into="For whoever approves it (may be empty)")
        edith.presses("Ask for approval")
        edith.reads("You asked for its approval.")
    with signed_in(browser, site, Role.ADMIN) as ada:
        ada.opens("/")
        ada.reads(f"{NAMES[Role.EDITOR]} asks for the issue of {WEEK} to be approved: “the intro is new”.")
        ada.follows("Preview it")
        ada.comes_to(f"Preview – {WEEK}")
        ada.presses("Approve what is shown")
        ada.reads("what you saw is what is sent")
    with reading(site.runtime.engine) as session:
        issue = get_issue(session, DRAFT)
    assert (issue.state, issue.approved_by) == (IssueState.APPROVED, NAMES[Role.ADMIN])


def shapes(edith: Person, site: Site) -> None:
    """Move articles by the keyboard and by dragging, and write an opening."""
    assert order_of(site)[-2:] == ["A quiet", "Launch companies"]
    page = edith.page
    page.get_by_role("button", name=re.compile(f"^Move down.*{STAR}")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("You moved")
    assert order_of(site)[-2:] == ["Launch companies", "A quiet"]
    cards = page.get_by_role("listitem")
    star, bond = (cards.filter(has=page.get_by_role("heading", name=name)) for name in (STAR, BOND))
    star.locator(".grip").hover()
    page.mouse.down()
    box = bond.bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + 20)
    page.mouse.move(box["x"] + 30, box["y"] + 4)
    page.mouse.up()
    expect(page.get_by_role("link", name="2 changes")).to_be_visible()
    assert order_of(site)[-2:] == ["A quiet", "Launch companies"]
    edith.writes("Good morning. This week is about patience.", into="Intro").blur()
    expect(page.get_by_role("link", name="3 changes")).to_be_visible()


def sees_three_readers(edith: Person) -> None:
    """Preview as two subscribers and as a new reader: each gets another mail, one none at all."""
    edith.follows("Preview as a reader")
    edith.comes_to(f"Preview – {WEEK}")
    titles_in(previews_as(edith, ADA), PEAT)
    titles_in(previews_as(edith, BEN), STAR, BOND)
    edith.writes(CLEO, into="A subscriber, by a part of their address").press("Enter")
    edith.reads("There is nothing to show.")
    edith.page.get_by_label("Climate & energy").check()
    edith.page.get_by_label("Space").check()
    edith.presses("Show this mix")
    edith.reads("3 of 3 articles, and why")
    titles_in(edith.page.frame_locator("iframe"), PEAT, STAR, BOND)


def meets_an_error_and_mends_it(edith: Person) -> None:
    """A merge tag of another program was pasted into the subject: the checks stop it and lead to it."""
    edith.follows("Shape the draft")
    edith.writes("Hello *|FNAME|*, peat that pays", into="Subject").blur()
    edith.reads("Saved.")
    edith.follows("Preview as a reader")
    edith.reads("'*|FNAME|*' looks like a placeholder")
    edith.looks_around()
    edith.follows("Mend it there")
    edith.comes_to(f"Draft of {WEEK}")
    edith.writes("Peat that pays, and a bond for satellites", into="Subject").blur()
    edith.reads("Saved.")
    edith.follows("Preview as a reader")
    expect(edith.page.locator(".subject").last).to_contain_text("Peat that pays")
    expect(edith.page.get_by_text("looks like a placeholder")).to_have_count(0)
