"""Articles that came too late for the issue of their days are candidates of the next one, once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from digest.compose.edits import Change, edit_issue
from digest.compose.shape import DROP
from digest.domain.issues import Issue, IssueState
from digest.domain.times import Window
from digest.store.articles import ArticleId, ArticleRow
from digest.store.database import reading, writing
from digest.store.edits import About, Field
from digest.store.issues import IssueRow
from digest.store.latecomers import latecomers
from tests.compose.test_steps import Week
from tests.stored import CLIMATE, NOW, WINDOW, approved_issue, change

NEXT = Window(WINDOW.end, WINDOW.end + timedelta(days=7))
APPROVED = NOW - timedelta(days=4)
"""On the Thursday before."""


@pytest.fixture
def week(engine: Engine) -> Week:
    return Week(engine)


def seen(week: Week, path: str, at: datetime, **overrides: object) -> ArticleId:
    """Store an article of the week that was first seen then."""
    found = week.add(path, {CLIMATE: 0.9}, **overrides)
    with writing(week.engine) as session:
        session.execute(update(ArticleRow).where(ArticleRow.id == found).values(first_seen_at=at))
    return found


def approve(week: Week, issue: Issue) -> None:
    change(week.engine, issue, IssueState.APPROVED)
    with writing(week.engine) as session:
        session.execute(update(IssueRow).where(IssueRow.id == issue.id).values(approved_at=APPROVED))


def late(week: Week, window: Window = NEXT) -> list[ArticleId]:
    with reading(week.engine) as session:
        return [one.id for one in latecomers(session, week.newsletter.id, window)]


def test_what_was_found_after_the_approval_is_for_the_next_issue(week: Week) -> None:
    seen(week, "tides", APPROVED - timedelta(days=1))
    issue = week.compose()
    assert late(week) == [], "a draft still takes them in"
    approve(week, issue)
    found = seen(week, "storm", APPROVED + timedelta(hours=1))
    assert late(week) == [found]
    assert week.titles(week.compose(NEXT)) == ["Storm"]
    change(week.engine, issue, IssueState.DRAFT)
    assert late(week) == []
    assert sorted(week.titles(week.compose())) == ["Storm", "Tides"]


def test_what_came_just_before_it_and_was_not_in_the_draft_is_not_lost(week: Week) -> None:
    seen(week, "tides", APPROVED - timedelta(days=1))
    issue = week.compose()
    found = seen(week, "storm", APPROVED - timedelta(minutes=4))
    approve(week, issue)
    assert late(week) == [found]


def test_what_was_left_out_or_dropped_is_not_offered_again(week: Week) -> None:
    seen(week, "tides", APPROVED - timedelta(days=1))
    seen(week, "left-out", APPROVED - timedelta(days=1), published_at=WINDOW.start)
    dropped = seen(week, "dropped", APPROVED - timedelta(minutes=1))
    seen(week, "carried", APPROVED - timedelta(minutes=1))
    issue = week.compose()
    edit_issue(week.engine, issue.id, [Change(About(Field.WISH, dropped), DROP)], by="Ada", now=APPROVED)
    approve(week, issue)
    assert late(week) == []


def test_only_the_issue_before_counts_and_not_for_ever(week: Week) -> None:
    seen(week, "tides", APPROVED - timedelta(days=1))
    approve(week, week.compose())
    found = seen(week, "storm", APPROVED + timedelta(hours=1))
    after = Window(NEXT.end, NEXT.end + timedelta(days=7))
    assert late(week, after) == [found], "no issue came between"
    approved_issue(week.engine, week.newsletter, window=NEXT)
    assert late(week, after) == []
    assert late(week) == [found]
    assert late(week, Window(NEXT.end + timedelta(days=60), NEXT.end + timedelta(days=67))) == []


def test_without_an_issue_before_nothing_came_too_late(week: Week) -> None:
    seen(week, "storm", NOW)
    assert late(week) == []
    change(week.engine, week.compose(), IssueState.CANCELLED)
    assert late(week) == []
