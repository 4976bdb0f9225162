import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from digest.domain.errors import NotFound
from digest.domain.issues import IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import Occurrence, OccurrenceState, Schedule, Stage
from digest.store.database import reading, writing
from digest.store.issues import list_issues
from digest.store.schedules import (
    add_occurrence,
    add_schedule,
    claim_due,
    claim_occurrence,
    due_schedules,
    end_waiting,
    get_schedule,
    list_occurrences,
    list_schedules,
    pending_occurrences,
    record_stage,
    remove_schedule,
    set_paused,
    settle_held,
)
from tests.stored import NOW, approved_issue, change, stored_newsletter

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    return stored_newsletter(engine)


@pytest.fixture
def schedule(engine: Engine, newsletter: Newsletter) -> Schedule:
    with writing(engine) as session:
        return add_schedule(
            session,
            newsletter.id,
            cron="0 7 * * *",
            timezone="Europe/Berlin",
            window_days=1,
            next_due=NOW,
            now=NOW,
        )


def occurrence(
    engine: Engine,
    schedule: Schedule,
    day: int = 23,
    state: OccurrenceState = OccurrenceState.RUNNING,
) -> Occurrence | None:
    with writing(engine) as session:
        return add_occurrence(
            session,
            schedule.id,
            due_at=NOW,
            local_date=date(2026, 11, day),
            state=state,
            note="",
            now=NOW,
        )


@pytest.fixture
def running(engine: Engine, schedule: Schedule) -> Occurrence:
    found = occurrence(engine, schedule)
    assert found is not None
    return found


def find(engine: Engine, schedule: Schedule) -> Occurrence:
    with reading(engine) as session:
        return list_occurrences(session, schedule.id, limit=1)[0]


def test_a_schedule_comes_back_as_it_was_stored(
    engine: Engine, newsletter: Newsletter, schedule: Schedule
) -> None:
    with reading(engine) as session:
        assert get_schedule(session, schedule.id) == schedule
        assert list_schedules(session) == list_schedules(session, newsletter.id) == (schedule,)
        with pytest.raises(NotFound, match="no schedule 99: 'digest schedule list'"):
            get_schedule(session, 99)


def test_a_schedule_is_due_from_its_moment_on(engine: Engine, schedule: Schedule) -> None:
    with reading(engine) as session:
        assert due_schedules(session, now=NOW - MINUTE) == ()
        assert due_schedules(session, now=NOW) == (schedule,)


def test_a_paused_schedule_is_not_due_and_misses_nothing_when_it_goes_on(
    engine: Engine, schedule: Schedule
) -> None:
    with writing(engine) as session:
        set_paused(session, schedule.id, paused=True, next_due=NOW + DAY)
        assert not claim_due(session, schedule, next_due=NOW + DAY)
    with reading(engine) as session:
        assert due_schedules(session, now=NOW + 9 * DAY) == ()
    with writing(engine) as session:
        set_paused(session, schedule.id, paused=False, next_due=NOW + 9 * DAY)
    with reading(engine) as session:
        assert due_schedules(session, now=NOW + 8 * DAY) == ()


def test_of_many_who_claim_a_due_date_one_has_it(engine: Engine, schedule: Schedule) -> None:
    together = threading.Barrier(6)

    def claim(_: int) -> bool:
        together.wait()
        with writing(engine) as session:
            return claim_due(session, schedule, next_due=NOW + DAY)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(claim, range(6))) == 1


def test_a_local_date_occurs_once(engine: Engine, schedule: Schedule) -> None:
    assert occurrence(engine, schedule, 23) is not None
    assert occurrence(engine, schedule, 23) is None
    assert occurrence(engine, schedule, 24) is not None


def test_occurrences_are_listed_newest_first(engine: Engine, schedule: Schedule) -> None:
    for day in (21, 23, 22):
        occurrence(engine, schedule, day)
    with reading(engine) as session:
        found = list_occurrences(session, schedule.id, limit=2)
    assert [one.local_date.day for one in found] == [23, 22]


def test_a_claimed_run_is_nobody_elses_until_its_lease_ends(engine: Engine, running: Occurrence) -> None:
    with writing(engine) as session:
        assert claim_occurrence(session, running.id, now=NOW, lease_until=NOW + MINUTE) == (running, 1)
        assert claim_occurrence(session, running.id, now=NOW, lease_until=NOW + MINUTE) is None
        assert pending_occurrences(session, now=NOW + MINUTE) == ()
    later = NOW + 2 * MINUTE
    with writing(engine) as session:
        assert pending_occurrences(session, now=later) == (running,)
        assert claim_occurrence(session, running.id, now=later, lease_until=later + MINUTE) == (running, 2)


def test_a_stage_that_ended_frees_the_run_for_the_next(
    engine: Engine, schedule: Schedule, running: Occurrence
) -> None:
    with writing(engine) as session:
        claim_occurrence(session, running.id, now=NOW, lease_until=NOW + MINUTE)
        assert record_stage(
            session,
            running.id,
            state=OccurrenceState.RUNNING,
            stage=Stage.CONDENSE,
            issue_id=None,
            note="on it",
            lease_until=NOW + MINUTE,
        )
    assert (find(engine, schedule).stage, find(engine, schedule).note) == (Stage.CONDENSE, "on it")
    with writing(engine) as session:
        claimed = claim_occurrence(session, running.id, now=NOW, lease_until=NOW + MINUTE)
    assert claimed is not None
    assert claimed[1] == 1


def test_who_slept_past_the_lease_does_not_set_a_run_back(
    engine: Engine, schedule: Schedule, running: Occurrence
) -> None:
    later = NOW + 2 * MINUTE

    def record(stage: Stage, lease: int) -> bool:
        with writing(engine) as session:
            return record_stage(
                session,
                running.id,
                state=OccurrenceState.RUNNING,
                stage=stage,
                issue_id=None,
                note="",
                lease_until=NOW + lease * MINUTE,
            )

    with writing(engine) as session:
        claim_occurrence(session, running.id, now=NOW, lease_until=NOW + MINUTE)
        claim_occurrence(session, running.id, now=later, lease_until=NOW + 3 * MINUTE)
    assert record(Stage.COMPOSE, 3)
    assert not record(Stage.CONDENSE, 1)
    assert find(engine, schedule).stage is Stage.COMPOSE


@pytest.mark.parametrize("state", [state for state in OccurrenceState if state != OccurrenceState.RUNNING])
def test_only_a_running_occurrence_is_worked_on(
    engine: Engine, schedule: Schedule, state: OccurrenceState
) -> None:
    found = occurrence(engine, schedule, state=state)
    assert found is not None
    with writing(engine) as session:
        assert pending_occurrences(session, now=NOW) == ()
        assert claim_occurrence(session, found.id, now=NOW, lease_until=NOW + MINUTE) is None


@pytest.mark.parametrize(("run", "then"), [(True, OccurrenceState.RUNNING), (False, OccurrenceState.SKIPPED)])
def test_ops_judge_a_held_occurrence_once(
    engine: Engine, schedule: Schedule, run: bool, then: OccurrenceState
) -> None:
    held = occurrence(engine, schedule, state=OccurrenceState.HELD)
    assert held is not None
    with writing(engine) as session:
        assert settle_held(session, held.id, run=run).state is then
    with pytest.raises(NotFound, match="no held occurrence"), writing(engine) as session:
        settle_held(session, held.id, run=run)
    assert find(engine, schedule).state is then


@pytest.mark.parametrize(
    ("to", "ends"), [(None, False), (IssueState.APPROVED, True), (IssueState.CANCELLED, True)]
)
def test_waiting_ends_when_the_issue_is_no_longer_a_draft(
    engine: Engine,
    newsletter: Newsletter,
    schedule: Schedule,
    running: Occurrence,
    to: IssueState,
    ends: bool,
) -> None:
    issue = approved_issue(engine, newsletter)
    change(engine, issue, IssueState.DRAFT)
    with writing(engine) as session:
        claim_occurrence(session, running.id, now=NOW, lease_until=NOW + MINUTE)
        record_stage(
            session,
            running.id,
            state=OccurrenceState.WAITING,
            stage=Stage.APPROVE,
            issue_id=issue.id,
            note="waits",
            lease_until=NOW + MINUTE,
        )
    if to:
        change(engine, issue, to)
    with writing(engine) as session:
        end_waiting(session)
    assert find(engine, schedule).state is (OccurrenceState.DONE if ends else OccurrenceState.WAITING)


def test_removing_a_schedule_leaves_its_issues(
    engine: Engine, newsletter: Newsletter, schedule: Schedule, running: Occurrence
) -> None:
    issue = approved_issue(engine, newsletter)
    with writing(engine) as session:
        remove_schedule(session, schedule.id)
    with reading(engine) as session:
        assert list_schedules(session) == ()
        assert list_issues(session) == (issue,)
