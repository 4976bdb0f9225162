"""The front page: what needs a decision, and the coming issue of each newsletter with its times."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest

from digest.compose.edits import Change, edit_issue
from digest.compose.steps import compose
from digest.domain.accounts import Role
from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.pipeline.approval import approve_issue, ask_approval
from digest.pipeline.scheduling import reschedule, set_resting
from digest.store.database import reading, writing
from digest.store.edits import About, Field
from digest.store.issues import change_issue, make_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.schedules import add_schedule
from tests.web.site import Site
from tests.web.world import DRAFT, NOW, SENDING, THIS_WEEK

DUE = datetime(2026, 11, 30, 7, tzinfo=UTC)


def read(site: Site, path: str = "/") -> str:
    answer = site.get(path)
    assert answer.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.fixture
def scheduled(site: Site) -> Site:
    with writing(site.runtime.engine) as session:
        add_schedule(
            session,
            NewsletterId(1),
            cron="0 7 * * MON",
            timezone="UTC",
            window_days=7,
            next_due=DUE,
            now=NOW,
        )
    return site


def test_the_coming_issue_stands_first_with_its_closing_time_and_when_it_goes_out(scheduled: Site) -> None:
    told = read(scheduled)
    assert "Coming next 23–29 November 2026 3 articles so far." in told
    assert "Closes Monday 30 November 2026, 00:00 UTC (in 6 days 17 h)" in told
    assert "Goes out Monday 30 November 2026, 07:00 UTC (in 7 days), once somebody has approved it" in told
    page = scheduled.get("/").text
    assert f'href="/issues/{DRAFT}/draft"' in page
    assert page.count("23–29 November 2026") == 2, "named, and on its button, and in no list besides"
    course = read(scheduled, f"/issues/{DRAFT}/draft")
    assert "or until it is approved; what comes after that is for the next issue." in course


def test_an_approved_issue_waits_for_its_hour_and_every_page_says_when_it_leaves(scheduled: Site) -> None:
    preview, hour = f"/issues/{DRAFT}/preview", "07:00 UTC on Monday 30 Nov"
    assert f"Once approved, it waits for its hour and leaves at {hour}." in read(scheduled, preview)
    assert "an article that comes after the approval is for the next issue." in read(scheduled, preview)
    approve_issue(scheduled.runtime, DRAFT, by="Edith", despite_errors=True)
    front = read(scheduled)
    assert "23–29 November 2026 Approved, waits for its hour, with 3 articles." in front
    assert "Closes" not in front, "what is approved takes nothing in any more"
    assert "Goes out Monday 30 November 2026, 07:00 UTC (in 7 days); it is approved" in front
    assert "What needs a decision" not in front
    pages = (f"/issues/{DRAFT}", f"/issues/{DRAFT}/draft", preview, "/ops")
    for page in pages:
        assert f"It leaves at {hour}." in read(scheduled, page), page


def test_whose_schedule_rests_the_front_page_asks_about(scheduled: Site) -> None:
    approve_issue(scheduled.runtime, DRAFT, by="Edith", despite_errors=True)
    set_resting(scheduled.runtime, 1, True, by="Omar")
    told = read(scheduled)
    assert (
        "The issue of 23–29 November 2026 is approved and waits. Its schedule rests, so nothing sends it by "
        "itself. The Saturday Reader Send it, or take it back"
    ) in told


def test_a_draft_that_somebody_worked_on_is_asked_about_once_nothing_makes_it(scheduled: Site) -> None:
    edits = [Change(About(Field.SUBJECT), "Tides and trams")]
    edit_issue(scheduled.runtime.engine, DRAFT, edits, by="Edith", now=NOW)
    reschedule(scheduled.runtime, 1, cron="0 7 * * TUE", by="Omar")
    assert "The draft of 23–29 November 2026 has no schedule any more: nothing sends it" in read(scheduled)
    course = "No schedule makes an issue of these days: approved, it goes out at once."
    assert course in read(scheduled, f"/issues/{DRAFT}/draft")


def test_who_operates_sends_it_before_its_hour_and_nobody_else(scheduled: Site) -> None:
    approve_issue(scheduled.runtime, DRAFT, by="Edith", despite_errors=True)
    preview, now = f"/issues/{DRAFT}/preview", f"/ops/sends/{DRAFT}/now"
    with scheduled.seen_by(Role.EDITOR) as editor:
        assert now not in editor.get(preview).text
        assert editor.submit(now).status_code == 403
    with scheduled.seen_by(Role.OPS) as ops:
        for page in (preview, f"/ops/sends/{DRAFT}"):
            assert f'action="{now}"' in ops.get(page).text
        answer = ops.submit(now)
        assert answer.headers["location"] == f"/ops/sends/{DRAFT}?done=sent-now"
        assert "It does not wait for its hour any more." in read(ops, answer.headers["location"])
        assert now not in ops.get(preview).text
        again = ops.submit(now)
        assert again.status_code == 409
        assert "there is no hour that it waits for" in again.text
    told = read(scheduled)
    assert "Before its hour, which is Monday 30 November 2026, 07:00 UTC (in 7 days) and sends" in told


def test_a_newsletter_without_a_schedule_says_how_to_give_it_one(site: Site) -> None:
    assert "It has no schedule, so no issue comes by itself. digest schedule add saturday" in read(site)


def test_what_waits_for_a_person_is_named_before_anything(site: Site) -> None:
    assert "What needs a decision" not in read(site), "a draft whose days are not over needs nobody yet"
    ask_approval(site.runtime, DRAFT, by="Ben", note="the lead is new")
    with writing(site.runtime.engine) as session:
        change_issue(session, SENDING, IssueState.PAUSED, now=NOW, note="too many bounces")
    told = read(site)
    assert told.index("What needs a decision") < told.index("The Saturday Reader")
    assert "Ben asks for the issue of 23–29 November 2026 to be approved: “the lead is new”." in told
    assert "The issue of 16–22 November 2026 is paused: too many bounces." in told
    assert f'href="/issues/{DRAFT}/preview"' in site.get("/").text


def test_who_may_not_decide_is_offered_a_look(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_issue(session, SENDING, IssueState.CANCELLED, now=NOW)
        make_issue(session, NewsletterId(1), THIS_WEEK, now=NOW)
        newsletter = newsletter_by_id(session, NewsletterId(1))
    compose(site.runtime.engine, newsletter, THIS_WEEK, now=NOW)
    assert "Shape it" in read(site)
    with site.seen_by(Role.VIEWER) as theirs:
        told = read(theirs)
    assert "waits for approval, with" in told
    assert "Shape it" not in told
    assert "Look at it" in told


def test_a_draft_whose_days_are_over_waits_for_approval(site: Site) -> None:
    with writing(site.runtime.engine) as session:
        change_issue(session, SENDING, IssueState.CANCELLED, now=NOW)
        again = make_issue(session, NewsletterId(1), THIS_WEEK, now=NOW)
    assert "waits for approval, with" not in read(site), "it holds nothing that could be approved"
    with reading(site.runtime.engine) as session:
        newsletter = newsletter_by_id(session, NewsletterId(1))
    compose(site.runtime.engine, newsletter, THIS_WEEK, now=NOW)
    told = read(site)
    assert "The issue of 16–22 November 2026 waits for approval, with" in told
    assert f'href="/issues/{again.id}/draft"' in site.get("/").text
