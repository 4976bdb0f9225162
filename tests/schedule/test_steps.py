import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, update

from digest.domain.newsletters import Newsletter
from digest.domain.schedules import Occurrence, OccurrenceState, Schedule
from digest.domain.times import Window
from digest.schedule.cron import due_dates, next_due
from digest.schedule.steps import Tick, tick, window_of
from digest.store.database import open_engine, reading, writing
from digest.store.schedules import (
    ScheduleRow,
    add_schedule,
    get_schedule,
    list_occurrences,
    list_schedules,
    set_paused,
)
from tests.stored import NOW, stored_newsletter

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
"""Seven o'clock in Berlin."""

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RUNNING, HELD = OccurrenceState.RUNNING, OccurrenceState.HELD


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    return stored_newsletter(engine)


def schedule(
    engine: Engine,
    newsletter: Newsletter,
    cron: str = "0 7 * * *",
    timezone: str = "Europe/Berlin",
    *,
    after: datetime = MONDAY - MINUTE,
) -> Schedule:
    with writing(engine) as session:
        return add_schedule(
            session,
            newsletter.id,
            cron=cron,
            timezone=timezone,
            window_days=1,
            # Not `next_due`: rows may hold rules that it would refuse today, and a tick must bear them.
            next_due=due_dates(cron, timezone, after=after, count=1)[0],
            now=NOW,
        )


def occurrences(engine: Engine, of: Schedule) -> list[Occurrence]:
    with reading(engine) as session:
        return list(list_occurrences(session, of.id, limit=1000))[::-1]


def test_nothing_is_due_before_its_time(engine: Engine, newsletter: Newsletter) -> None:
    due = schedule(engine, newsletter)
    assert tick(engine, now=MONDAY - MINUTE) == Tick((), ())
    assert occurrences(engine, due) == []


def test_a_due_date_starts_one_run_and_moves_the_schedule_on(engine: Engine, newsletter: Newsletter) -> None:
    due = schedule(engine, newsletter)
    found = tick(engine, now=MONDAY)
    (started,) = found.started
    assert found.held == ()
    assert (started.state, started.due_at, started.local_date) == (RUNNING, MONDAY, date(2026, 11, 23))
    assert tick(engine, now=MONDAY + MINUTE) == Tick((), ())
    with reading(engine) as session:
        assert get_schedule(session, due.id).next_due == MONDAY + DAY


def test_what_is_found_within_the_grace_period_runs(engine: Engine, newsletter: Newsletter) -> None:
    schedule(engine, newsletter)
    assert len(tick(engine, now=MONDAY + 6 * HOUR).started) == 1


def test_what_was_missed_by_more_is_held_and_never_fires_by_itself(
    engine: Engine, newsletter: Newsletter
) -> None:
    missed = schedule(engine, newsletter)
    found = tick(engine, now=MONDAY + 6 * HOUR + MINUTE)
    assert found.started == ()
    (held,) = found.held
    assert (held.state, held.note) == (HELD, "due 2026-11-23 06:00 UTC, found 6 h late")
    for hours in range(7, 24):
        assert tick(engine, now=MONDAY + hours * HOUR) == Tick((), ())
    assert [found.state for found in occurrences(engine, missed)] == [HELD]


def test_after_an_outage_each_missed_date_is_held_and_the_timely_one_runs(
    engine: Engine, newsletter: Newsletter
) -> None:
    missed = schedule(engine, newsletter)
    found = tick(engine, now=MONDAY + 3 * DAY + HOUR)
    assert [held.local_date.day for held in found.held] == [23, 24, 25]
    assert [started.local_date.day for started in found.started] == [26]
    assert [one.state for one in occurrences(engine, missed)] == [HELD, HELD, HELD, RUNNING]
    with reading(engine) as session:
        assert get_schedule(session, missed.id).next_due == MONDAY + 4 * DAY


def test_after_a_long_outage_the_last_few_dates_are_remembered(
    engine: Engine, newsletter: Newsletter
) -> None:
    missed = schedule(engine, newsletter, "* * * * *", "UTC")
    tick(engine, now=MONDAY + 30 * DAY)
    days = [one.local_date for one in occurrences(engine, missed)]
    assert days == [date(2026, 12, 23) - number * DAY for number in range(7, -1, -1)]


def test_a_rule_of_every_hour_runs_once_a_day(engine: Engine, newsletter: Newsletter) -> None:
    hourly = schedule(engine, newsletter, "0 * * * *", "UTC")
    for hours in range(49):
        tick(engine, now=MONDAY + hours * HOUR)
    assert [one.local_date.day for one in occurrences(engine, hourly)] == [23, 24, 25]


def test_a_paused_schedule_misses_nothing(engine: Engine, newsletter: Newsletter) -> None:
    resting = schedule(engine, newsletter)
    with writing(engine) as session:
        set_paused(session, resting.id, paused=True, next_due=MONDAY)
    assert tick(engine, now=MONDAY + 9 * DAY) == Tick((), ())
    with writing(engine) as session:
        then = next_due(resting.cron, resting.timezone, after=MONDAY + 9 * DAY)
        set_paused(session, resting.id, paused=False, next_due=then)
    assert tick(engine, now=MONDAY + 9 * DAY) == Tick((), ())
    assert len(tick(engine, now=MONDAY + 10 * DAY).started) == 1


def test_a_schedule_that_broke_leaves_the_others(engine: Engine, newsletter: Newsletter) -> None:
    broken, well = schedule(engine, newsletter), schedule(engine, newsletter)
    with writing(engine) as session:
        session.execute(update(ScheduleRow).where(ScheduleRow.id == broken.id).values(timezone="US/Nowhere"))
    (started,) = tick(engine, now=MONDAY).started
    assert started.schedule_id == well.id


@pytest.mark.parametrize(
    ("timezone", "spring", "autumn"),
    [
        ("Europe/Berlin", date(2026, 3, 29), date(2026, 10, 25)),
        ("America/New_York", date(2026, 3, 8), date(2026, 11, 1)),
        ("Australia/Lord_Howe", date(2026, 10, 4), date(2026, 4, 5)),
    ],
)
def test_a_day_on_which_clocks_change_has_one_run(
    engine: Engine, newsletter: Newsletter, timezone: str, spring: date, autumn: date
) -> None:
    rules = ["30 2 * * *", "45 1 * * *", "0,30 1-3 * * *", "*/30 * * * *"]
    for day in (spring, autumn):
        start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
        due = [schedule(engine, newsletter, cron, timezone, after=start - DAY - MINUTE) for cron in rules]
        dates = {one.id: list[date]() for one in due}
        for minutes in range(-24 * 60, 48 * 60, 15):
            for started in tick(engine, now=start + minutes * MINUTE).started:
                dates[started.schedule_id].append(started.local_date)
        for found in dates.values():
            assert found[:3] == [day - DAY, day, day + DAY]
            assert len(set(found)) == len(found)
        with writing(engine) as session:
            for one in due:
                set_paused(session, one.id, paused=True, next_due=start)


def test_many_who_tick_at_once_start_each_run_once(engine: Engine, newsletter: Newsletter) -> None:
    """Six processes with engines of their own, as six beats would be."""
    due = [schedule(engine, newsletter, f"{number % 60} 5 * * *", "UTC") for number in range(40)]
    together = threading.Barrier(6)

    def beat(_: int) -> list[int]:
        own = open_engine(engine.url.render_as_string(hide_password=False))
        together.wait()
        found = [tick(own, now=MONDAY + DAY + number * MINUTE) for number in range(3)]
        own.dispose()
        return [one.schedule_id for ticked in found for one in (*ticked.started, *ticked.held)]

    with ThreadPoolExecutor(6) as pool:
        started = [one for found in pool.map(beat, range(6)) for one in found]
    assert sorted(started) == sorted(one.id for one in due)
    assert all(len(occurrences(engine, one)) == 1 for one in due)
    with reading(engine) as session:
        assert {one.next_due.day for one in list_schedules(session)} == {25}


def test_an_issue_covers_the_local_days_before_its_due_date(engine: Engine, newsletter: Newsletter) -> None:
    due = schedule(engine, newsletter)
    berlin = ZoneInfo("Europe/Berlin")
    yesterday = Window.of_days(date(2026, 11, 22), date(2026, 11, 22), berlin)
    assert window_of(due, MONDAY) == window_of(due, MONDAY + 3 * HOUR) == yesterday
    assert window_of(due, datetime(2026, 11, 22, 23, 30, tzinfo=UTC)) == yesterday
