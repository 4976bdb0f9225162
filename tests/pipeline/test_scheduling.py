"""What ops do with schedules and their runs."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from digest.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from digest.domain.runs import StageOutcome, StageRun
from digest.domain.schedules import Occurrence, OccurrenceId, OccurrenceState, Schedule, Stage
from digest.pipeline import scheduling
from digest.pipeline.scheduled import advance, due_occurrences
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.newsletters import newsletter_by_id
from digest.store.schedules import get_occurrence, get_schedule, list_occurrences, list_schedules
from digest.store.stage_runs import count_runs, find_run, list_runs, stages_of
from tests.pipeline.press import CLIMATE, Clock, Press, flaky, make_newsletter
from tests.stored import NOW, stored_reader

DAY = timedelta(days=1)


@pytest.fixture
def weekly(engine: Engine, runtime: Runtime, press: Press) -> Schedule:
    """A newsletter that is due on Mondays at seven; it is before that."""
    newsletter = make_newsletter(engine, press)
    press.publish("tides", CLIMATE)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    return scheduling.make_schedule(runtime, newsletter.slug, cron="0 7 * * MON", timezone="UTC", by="Ada")


def dates(engine: Engine, schedule: Schedule, count: int = 3) -> list[tuple[str, bool]]:
    """The dates to come, and whether each is left out."""
    with reading(engine) as session:
        found = get_schedule(session, schedule.id)
        coming = scheduling.coming_dates(session, found, now=NOW, count=count)
    return [(f"{one.due_at:%m-%d %H:%M}", one.skipped is not None) for one in coming]


def now_is(engine: Engine, schedule: Schedule) -> Schedule:
    with reading(engine) as session:
        return get_schedule(session, schedule.id)


def runs(engine: Engine, schedule: Schedule) -> tuple[Occurrence, ...]:
    with reading(engine) as session:
        return list_occurrences(session, schedule.id, limit=9)


def stages(engine: Engine, run: OccurrenceId) -> tuple[StageRun, ...]:
    with reading(engine) as session:
        return stages_of(session, run)


def alter(engine: Engine, statement: str) -> None:
    with writing(engine) as session:
        session.execute(text(statement))


def test_a_schedule_is_made_with_the_newsletters_own_zone_and_days(runtime: Runtime, press: Press) -> None:
    newsletter = make_newsletter(runtime.engine, press)
    made = scheduling.make_schedule(runtime, newsletter.slug, cron="0 7 * * MON", by="Ada")
    assert (made.timezone, made.window_days) == (newsletter.timezone, newsletter.window_days)
    assert made.next_due > runtime.clock()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"cron": "monday"}, "not a cron rule"),
        ({"cron": "0 7 * * MON", "timezone": "Mars/Base"}, "not a time zone"),
        ({"cron": "0 7 * * MON", "window_days": 0}, "1 to 366 days, not 0"),
        ({"cron": "0 7,8 * * MON"}, "comes due 2 times a day"),
    ],
)
def test_what_is_no_schedule_is_refused_and_nothing_is_stored(
    wrong: dict[str, str], words: str, runtime: Runtime, press: Press
) -> None:
    newsletter = make_newsletter(runtime.engine, press)
    with pytest.raises(InvalidInput, match=words):
        scheduling.make_schedule(runtime, newsletter.slug, by="Ada", **wrong)  # type: ignore[arg-type]
    with reading(runtime.engine) as session:
        assert list_schedules(session) == ()


def test_another_rule_holds_from_now_on(weekly: Schedule, runtime: Runtime, engine: Engine) -> None:
    changed = scheduling.reschedule(runtime, weekly.id, cron="30 9 * * TUE", window_days=1, by="Ada")
    assert (changed.cron, changed.window_days, changed.timezone) == ("30 9 * * TUE", 1, "UTC")
    assert dates(engine, weekly, 2) == [("11-24 09:30", False), ("12-01 09:30", False)]
    with pytest.raises(InvalidInput):
        scheduling.reschedule(runtime, weekly.id, cron="never", by="Ada")
    assert now_is(engine, weekly) == changed
    with pytest.raises(NotFound):
        scheduling.reschedule(runtime, 99, cron="0 7 * * *", by="Ada")


def test_a_form_that_is_sent_twice_makes_one_schedule(
    weekly: Schedule, runtime: Runtime, engine: Engine
) -> None:
    def make(cron: str, window_days: int = weekly.window_days) -> Schedule:
        with reading(engine) as session:
            slug = newsletter_by_id(session, weekly.newsletter_id).slug
        return scheduling.make_schedule(
            runtime, slug, cron=cron, timezone="UTC", window_days=window_days, by="Ada"
        )

    with pytest.raises(Conflict, match=f"schedule {weekly.id} makes the same issues already"):
        make("0  7 * * MON")
    other, longer = make("0 7 * * TUE"), make("0 7 * * MON", 28)
    with pytest.raises(Conflict, match=f"schedule {weekly.id} makes the same"):
        scheduling.reschedule(runtime, other.id, cron=weekly.cron, by="Ada")
    assert now_is(engine, other) == other
    assert scheduling.reschedule(runtime, longer.id, cron=longer.cron, by="Ada").cron == longer.cron
    with reading(engine) as session:
        assert {one.id for one in list_schedules(session)} == {weekly.id, other.id, longer.id}


# --- a date left out


def test_a_date_that_is_left_out_never_runs_and_the_next_one_does(
    weekly: Schedule, runtime: Runtime, engine: Engine, clock: Clock
) -> None:
    skipped = scheduling.skip_next(runtime, weekly.id, by="Ada")
    assert (skipped.state, skipped.note) == (OccurrenceState.SKIPPED, "left out by Ada")
    left_out = skipped.local_date
    listed = dates(engine, weekly)
    assert listed[0] == (f"{left_out:%m-%d} 07:00", True)
    assert [is_out for _, is_out in listed[1:]] == [False, False, False]
    clock.now = weekly.next_due + timedelta(minutes=1)
    assert due_occurrences(runtime) == ()
    clock.now += 7 * DAY
    (run,) = due_occurrences(runtime)
    with reading(engine) as session:
        assert get_occurrence(session, run).local_date == left_out + 7 * DAY


def test_a_date_left_out_can_be_put_back(weekly: Schedule, runtime: Runtime, engine: Engine) -> None:
    first = scheduling.skip_next(runtime, weekly.id, by="Ada")
    second = scheduling.skip_next(runtime, weekly.id, by="Ada")
    scheduling.take_back_skip(runtime, first.id, by="Ben")
    assert now_is(engine, weekly).next_due == weekly.next_due
    assert [is_out for _, is_out in dates(engine, weekly, 2)] == [False, True, False]
    scheduling.take_back_skip(runtime, second.id, by="Ben")
    assert runs(engine, weekly) == ()
    with pytest.raises(NotFound):
        scheduling.take_back_skip(runtime, second.id, by="Ben")


def test_what_is_left_out_stays_so_through_a_pause_and_another_hour(
    weekly: Schedule, runtime: Runtime, engine: Engine
) -> None:
    scheduling.skip_next(runtime, weekly.id, by="Ada")
    scheduling.set_resting(runtime, weekly.id, True, by="Ada")
    with pytest.raises(Conflict, match="is paused, so nothing is due"):
        scheduling.skip_next(runtime, weekly.id, by="Ada")
    resumed = scheduling.set_resting(runtime, weekly.id, False, by="Ada")
    assert resumed.next_due == weekly.next_due + 7 * DAY
    moved = scheduling.reschedule(runtime, weekly.id, cron="0 6 * * MON", by="Ada")
    assert moved.next_due == weekly.next_due + 7 * DAY - timedelta(hours=1)
    assert [is_out for _, is_out in dates(engine, weekly, 1)] == [True, False]


# --- a run at once


def test_a_run_before_its_hour_takes_the_place_of_the_one_at_its_hour(
    weekly: Schedule, runtime: Runtime, engine: Engine, clock: Clock
) -> None:
    clock.now = weekly.next_due - timedelta(hours=2)
    begun = scheduling.start_now(runtime, weekly.id, by="Ada")
    assert (begun.state, begun.stage, begun.note) == (OccurrenceState.RUNNING, Stage.GATHER, "begun by Ada")
    with pytest.raises(Conflict, match="is under way: it stands at 'gather'"):
        scheduling.start_now(runtime, weekly.id, by="Ben")
    clock.now += timedelta(hours=3)
    assert due_occurrences(runtime) == (begun.id,)
    assert len(runs(engine, weekly)) == 1
    assert now_is(engine, weekly).next_due == weekly.next_due + 7 * DAY


def test_a_day_whose_issue_is_made_is_not_run_again(
    weekly: Schedule, runtime: Runtime, engine: Engine
) -> None:
    begun = scheduling.start_now(runtime, weekly.id, by="Ada")
    while advance(runtime, begun.id):
        pass
    with pytest.raises(Conflict, match="is under way: it stands at 'approve'"):
        scheduling.start_now(runtime, weekly.id, by="Ben")
    alter(engine, "UPDATE occurrences SET state = 'done'")
    with pytest.raises(Conflict, match=r"made issue \d+: a second run of the same days makes no other"):
        scheduling.start_now(runtime, weekly.id, by="Ben")


def test_a_date_that_was_run_before_its_hour_cannot_be_left_out(
    weekly: Schedule, runtime: Runtime, engine: Engine, clock: Clock
) -> None:
    clock.now = weekly.next_due - timedelta(hours=2)
    scheduling.start_now(runtime, weekly.id, by="Ada")
    with pytest.raises(Conflict, match="begun before its hour"):
        scheduling.skip_next(runtime, weekly.id, by="Ada")
    assert now_is(engine, weekly).next_due == weekly.next_due


def test_a_run_that_found_nothing_can_be_begun_anew_and_one_left_out_too(
    weekly: Schedule, runtime: Runtime, engine: Engine, clock: Clock
) -> None:
    clock.now = weekly.next_due - timedelta(hours=2)
    skipped = scheduling.skip_next(runtime, weekly.id, by="Ada")
    begun = scheduling.start_now(runtime, weekly.id, by="Ada")
    assert (begun.id, begun.state) == (skipped.id, OccurrenceState.RUNNING)
    alter(engine, "UPDATE occurrences SET state = 'done', stage = 'compose', note = 'an empty week'")
    again = scheduling.start_now(runtime, weekly.id, by="Ben")
    assert (again.id, again.stage, again.note) == (begun.id, Stage.GATHER, "begun by Ben")


# --- stages


def test_every_stage_tells_what_it_came_to(weekly: Schedule, runtime: Runtime, engine: Engine) -> None:
    begun = scheduling.start_now(runtime, weekly.id, by="Ada")
    while advance(runtime, begun.id):
        pass
    found = stages(engine, begun.id)
    assert [one.stage for one in found] == [Stage.GATHER, Stage.CONDENSE, Stage.COMPOSE, Stage.APPROVE]
    assert found[0].told.startswith("1 source, 1 new article")
    assert found[1].told.startswith("1 article condensed; takeaways:")
    assert found[2].told.endswith(": 1 article")
    assert found[3].outcome is StageOutcome.WAITING
    assert "waits for approval" in found[3].told
    assert all(one.lasted is not None and one.attempt == 1 for one in found)


def test_a_stage_that_is_tried_again_keeps_each_reason(
    weekly: Schedule, runtime: Runtime, engine: Engine
) -> None:
    begun = scheduling.start_now(runtime, weekly.id, by="Ada")
    away = flaky(runtime, Unavailable("the feeds are out of reach"))
    assert not advance(away, begun.id)
    alter(engine, "UPDATE occurrences SET lease_until = NULL")
    alter(engine, "UPDATE schedules SET timezone = 'Mars/Base'")
    assert not advance(runtime, begun.id)
    first, second = stages(engine, begun.id)
    assert (first.outcome, first.attempt, first.told) == (StageOutcome.LATER, 1, "the feeds are out of reach")
    assert (second.outcome, second.attempt) == (StageOutcome.FAILED, 2)
    assert "'Mars/Base' is not a time zone" in second.told
    with reading(engine) as session:
        assert count_runs(session, OccurrenceState.FAILED) == 1
        assert [one.occurrence.id for one in list_runs(session, state=OccurrenceState.FAILED, limit=5)] == [
            begun.id
        ]
        assert list_runs(session, before=begun.id, limit=5) == ()


def test_a_run_that_failed_goes_on_where_it_stopped(
    weekly: Schedule, runtime: Runtime, engine: Engine
) -> None:
    begun = scheduling.start_now(runtime, weekly.id, by="Ada")
    assert advance(runtime, begun.id)
    assert advance(runtime, begun.id)
    alter(engine, "UPDATE schedules SET timezone = 'Mars/Base'")
    assert not advance(runtime, begun.id)
    with pytest.raises(InvalidInput, match="stopped at 'compose'"):
        scheduling.retry(runtime, begun.id, stage=Stage.SEND, by="Ada")
    alter(engine, "UPDATE schedules SET timezone = 'UTC'")
    again = scheduling.retry(runtime, begun.id, by="Ada")
    assert (again.state, again.stage, again.note) == (
        OccurrenceState.RUNNING,
        Stage.COMPOSE,
        "tried again by Ada",
    )
    with pytest.raises(Conflict, match="only one that failed"):
        scheduling.retry(runtime, begun.id, by="Ben")
    while advance(runtime, begun.id):
        pass
    told = [(one.stage, one.outcome) for one in stages(engine, begun.id)]
    assert told[2:] == [
        (Stage.COMPOSE, StageOutcome.FAILED),
        (Stage.COMPOSE, StageOutcome.DONE),
        (Stage.APPROVE, StageOutcome.WAITING),
    ]


def test_a_run_may_go_on_from_an_earlier_stage(weekly: Schedule, runtime: Runtime, engine: Engine) -> None:
    begun = scheduling.start_now(runtime, weekly.id, by="Ada")
    alter(engine, "UPDATE occurrences SET state = 'failed', stage = 'compose'")
    assert scheduling.retry(runtime, begun.id, stage=Stage.GATHER, by="Ada").stage is Stage.GATHER


def test_the_record_of_runs_goes_with_its_schedule(
    weekly: Schedule, runtime: Runtime, engine: Engine
) -> None:
    begun = scheduling.start_now(runtime, weekly.id, by="Ada")
    advance(runtime, begun.id)
    scheduling.end_schedule(runtime, weekly.id, by="Ada")
    with reading(engine) as session:
        assert find_run(session, begun.id) is None
        assert stages_of(session, begun.id) == ()
    with pytest.raises(NotFound):
        scheduling.end_schedule(runtime, weekly.id, by="Ada")


def test_a_missed_date_is_run_or_left_out_by_a_person(
    weekly: Schedule, runtime: Runtime, clock: Clock
) -> None:
    clock.now = weekly.next_due + timedelta(hours=7)
    assert due_occurrences(runtime) == ()
    (held,) = runs(runtime.engine, weekly)
    assert held.state is OccurrenceState.HELD
    assert scheduling.settle_missed(runtime, held.id, run=True, by="Ada").state is OccurrenceState.RUNNING
    with pytest.raises(NotFound):
        scheduling.settle_missed(runtime, held.id, run=False, by="Ben")
