"""The coming issue fills itself while its days go by, under what editors make of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from digest.compose.draft import refill
from digest.compose.edits import Change, edit_issue
from digest.compose.shape import DROP
from digest.domain.errors import Unavailable
from digest.domain.issues import Issue, IssueState
from digest.domain.times import Window
from digest.pipeline import coming as coming_module
from digest.pipeline.coming import Coming, coming_of, fill_drafts
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.articles import ArticleId
from digest.store.condensed import uncondensed_articles
from digest.store.database import reading, writing
from digest.store.edits import About, Field
from digest.store.issues import list_issues
from digest.store.items import items_of
from digest.store.recording import record_article
from digest.store.schedules import add_schedule, list_schedules, set_paused
from tests.compose.test_steps import Week
from tests.stored import CLIMATE, SPACE, change, sample_article, stored_newsletter

THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
DAYS = Window(datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    url = engine.url.render_as_string(hide_password=False)
    return Runtime(Settings(database_url=url), clock=lambda: THURSDAY)


@pytest.fixture
def week(engine: Engine) -> Week:
    week = Week(engine, timezone="UTC")
    schedule(week, MONDAY)
    return week


def schedule(week: Week, due: datetime, days: int = 7) -> None:
    with writing(week.engine) as session:
        add_schedule(
            session,
            week.newsletter.id,
            cron="0 7 * * MON",
            timezone="UTC",
            window_days=days,
            next_due=due,
            now=THURSDAY,
        )


def coming(week: Week) -> Coming:
    with reading(week.engine) as session:
        return coming_of(session, week.newsletter)[0]


def draft(week: Week) -> Issue:
    found = coming(week).issue
    assert found
    return found


def held(week: Week) -> list[ArticleId]:
    with reading(week.engine) as session:
        return [item.article_id for item in items_of(session, draft(week).id)]


def test_the_coming_issue_is_that_of_the_next_due_date(week: Week) -> None:
    found = coming(week)
    assert (found.window, found.closes_at, found.goes_at) == (DAYS, DAYS.end, MONDAY)
    assert found.issue is None
    schedule(week, MONDAY - timedelta(days=3), days=1)
    with reading(week.engine) as session:
        both = coming_of(session, week.newsletter)
    assert [one.goes_at for one in both] == [MONDAY - timedelta(days=3), MONDAY]
    assert both[0].window.end - both[0].window.start == timedelta(days=1)


def test_a_draft_grows_as_articles_come_and_keeps_what_an_editor_made_of_it(
    week: Week, runtime: Runtime
) -> None:
    fill_drafts(runtime)
    assert coming(week).issue is None, "an issue of nothing is none"
    first = week.add("first", {CLIMATE: 0.9})
    fill_drafts(runtime)
    assert held(week) == [first]
    edits = [Change(About(Field.SUBJECT), "Tides"), Change(About(Field.HEADLINE, first), "Ours")]
    edit_issue(week.engine, draft(week).id, edits, by="Ada", now=THURSDAY)
    second, third = week.add("second", {SPACE: 1.0}), week.add("third", {CLIMATE: 0.5})
    edit_issue(week.engine, draft(week).id, [Change(About(Field.WISH, third), DROP)], by="Ada", now=THURSDAY)
    fill_drafts(runtime)
    assert sorted(held(week)) == [first, second]
    assert (draft(week).subject, len(list_of(week))) == ("Tides", 1)


def list_of(week: Week) -> tuple[Issue, ...]:
    with reading(week.engine) as session:
        return list_issues(session, week.newsletter.id)


def test_what_polls_brought_is_condensed_first(week: Week, runtime: Runtime) -> None:
    week.add("known", {CLIMATE: 0.9})
    with writing(week.engine) as session:
        new = sample_article("heat-pumps-again", title="Climate: heat pumps again", categories=("climate",))
        record_article(session, week.newsletter.id, week.source.id, new, now=THURSDAY)
    fill_drafts(runtime)
    with reading(week.engine) as session:
        assert uncondensed_articles(session, week.newsletter.id) == ()


def test_a_draft_that_holds_the_same_is_not_written_again(week: Week, runtime: Runtime) -> None:
    week.add("a")
    fill_drafts(runtime)
    window = coming(week).window
    assert refill(week.engine, week.newsletter, window, now=THURSDAY) is None
    week.add("b")
    filled = refill(week.engine, week.newsletter, window, now=THURSDAY)
    assert filled is not None
    assert filled.id == draft(week).id
    assert refill(week.engine, week.newsletter, window, now=THURSDAY) is None


def test_what_was_approved_is_left_alone_and_a_paused_schedule_makes_nothing(
    week: Week, runtime: Runtime
) -> None:
    week.add("a")
    fill_drafts(runtime)
    change(week.engine, draft(week), IssueState.APPROVED)
    week.add("b")
    fill_drafts(runtime)
    assert len(held(week)) == 1
    with reading(week.engine) as session:
        (found,) = list_schedules(session, week.newsletter.id)
    with writing(week.engine) as session:
        set_paused(session, found.id, paused=True, next_due=MONDAY)
    with reading(week.engine) as session:
        assert coming_of(session, week.newsletter) == ()


def test_one_newsletter_that_fails_keeps_no_other_waiting(
    week: Week, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    week.add("a")
    other = stored_newsletter(week.engine, slug="another", name="Another", timezone="UTC")
    with writing(week.engine) as session:
        add_schedule(
            session,
            other.id,
            cron="0 7 * * MON",
            timezone="UTC",
            window_days=7,
            next_due=MONDAY,
            now=THURSDAY,
        )
    fill = coming_module._fill

    def fails_once(runtime: Runtime, one: Coming) -> None:
        if one.newsletter.id == other.id:
            raise Unavailable("the model is away")
        fill(runtime, one)

    monkeypatch.setattr(coming_module, "_fill", fails_once)
    with capture_logs() as logs:
        fill_drafts(runtime)
    assert len(held(week)) == 1
    assert ("draft.not_filled", "the model is away") in [(one["event"], one.get("reason")) for one in logs]


def test_each_time_another_is_first() -> None:
    turns = [list(coming_module._in_turn("abc", THURSDAY + step * coming_module.EVERY)) for step in range(4)]
    assert {turn[0] for turn in turns} == {"a", "b", "c"}
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)
    assert coming_module._in_turn((), THURSDAY) == []
