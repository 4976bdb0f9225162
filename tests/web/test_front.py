"""The front page: what needs a decision, and the coming issue of each newsletter with its times."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest

from digest.compose.steps import compose
from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.pipeline.approval import ask_approval
from digest.store.database import reading, writing
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
    assert "Closes Monday 30 November 2026, 00:00 (in 6 days 17 h)" in told
    assert "Goes out Monday 30 November 2026, 07:00 (in 7 days), once somebody has approved it" in told
    page = scheduled.get("/").text
    assert f'href="/issues/{DRAFT}/draft"' in page
    assert page.count("23–29 November 2026") == 2, "named, and on its button, and in no list besides"
    assert "Approved before it closes, it goes out at once," in read(scheduled, f"/issues/{DRAFT}/draft")


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
