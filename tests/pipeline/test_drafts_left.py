"""What becomes of a draft when the date goes that made it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.compose.edits import Change, edit_issue
from digest.domain.issues import IssueState
from digest.domain.schedules import OccurrenceState
from digest.pipeline import scheduling
from digest.store.audit import list_entries
from digest.store.database import reading
from digest.store.edits import About, Field
from digest.store.issues import list_issues
from tests.pipeline.desk import HOUR, THURSDAY, Desk


@pytest.mark.parametrize("way", ["another day", "removed", "left out", "resumed late"])
def test_a_draft_that_nobody_touched_goes_with_the_date_that_made_it(desk: Desk, way: str) -> None:
    change_date(desk, way)
    with reading(desk.engine) as session:
        assert list_issues(session) == ()
        told = [(one.what, one.by) for one in list_entries(session, limit=10)]
    assert ("issue.removed", "Omar") in told


def change_date(desk: Desk, way: str) -> None:
    if way == "another day":
        scheduling.reschedule(desk.runtime, desk.schedule.id, cron="0 7 * * TUE", by="Omar")
    elif way == "removed":
        scheduling.end_schedule(desk.runtime, desk.schedule.id, by="Omar")
    elif way == "left out":
        scheduling.skip_next(desk.runtime, desk.schedule.id, by="Omar")
    else:
        scheduling.set_resting(desk.runtime, desk.schedule.id, True, by="Omar")
        desk.clock.now = HOUR + timedelta(days=1)
        scheduling.set_resting(desk.runtime, desk.schedule.id, False, by="Omar")


@pytest.mark.parametrize("way", ["another day", "removed", "left out", "resumed late"])
def test_a_draft_that_somebody_worked_on_stays_and_says_what_sends_it(desk: Desk, way: str) -> None:
    edits = [Change(About(Field.SUBJECT), "Tides")]
    edit_issue(desk.engine, desk.issue.id, edits, by="Ada", now=THURSDAY)
    change_date(desk, way)
    assert desk.issue.subject == "Tides"
    assert ("No schedule makes an issue of these days" in desk.told()) is (way != "left out")


def test_a_draft_stays_that_is_still_made(desk: Desk) -> None:
    scheduling.reschedule(desk.runtime, desk.schedule.id, cron="30 9 * * MON", by="Omar")
    scheduling.set_resting(desk.runtime, desk.schedule.id, True, by="Omar")
    assert desk.issue.state is IssueState.DRAFT
    desk.add_schedule(HOUR + timedelta(hours=10), "0 17 * * MON")
    scheduling.end_schedule(desk.runtime, desk.schedule.id, by="Omar")
    assert desk.issue.state is IssueState.DRAFT


def test_a_draft_that_a_run_came_to_waits_for_its_approval_whatever_becomes_of_the_schedule(
    desk: Desk,
) -> None:
    desk.clock.now = HOUR - timedelta(hours=2)
    scheduling.start_now(desk.runtime, desk.schedule.id, by="Omar")
    desk.work()
    assert desk.run.state is OccurrenceState.WAITING
    scheduling.end_schedule(desk.runtime, desk.schedule.id, by="Omar")
    assert desk.issue.state is IssueState.DRAFT
