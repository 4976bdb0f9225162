"""Faults 26 to 28: clocks that are wrong, clocks that change, and several beats."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from benchmarks.faults.audit import Expected
from benchmarks.faults.field import Field
from benchmarks.faults.rig import Rig
from digest.domain.newsletters import NewsletterId
from digest.schedule.cron import next_due
from digest.schedule.steps import tick
from digest.store.database import reading, writing
from digest.store.schedules import OccurrenceRow, add_schedule, list_occurrences, set_paused
from tests.servers.faults import DelayReply, Faults
from tests.stored import stored_newsletter

READERS = 400
HOUR = timedelta(hours=1)

_ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
"""Lord Howe's clocks change by half an hour."""
_RULES = ("30 2 * * *", "0 2 * * *", "15 2 * * *", "30 1 * * *", "45 1 * * *", "0 3 * * *")
"""Hours that are left out, or come twice, on the days when clocks change."""

_BEATS = 3
_AROUND = timedelta(days=3)
_SCHEDULES = 40


def wrong_by_an_hour(field: Field) -> Expected:
    """Send by workers whose clocks are an hour fast, right, an hour slow, and each by turns; kill some."""
    field.issue(READERS)
    field.sink.faults = Faults(on_recipient=lambda _address, _attempt: DelayReply(0.01))
    rigs = [Rig(ahead=HOUR * hours, sessions=3) for hours in (-1, 0, 1)] + [Rig(wanders=True, sessions=3)]
    workers = [field.worker(rig) for rig in rigs]
    for share in (0.2, 0.4, 0.6):
        field.wait_for_mails(int(READERS * share))
        chosen = field.random.randrange(len(rigs))
        field.kill(workers[chosen])
        workers[chosen] = field.worker(rigs[chosen])
    field.sink.faults = Faults()
    field.wait_until_settled()
    for worker in workers:
        field.must(worker.end() == 0, f"a worker ended badly: {worker.said()}")
    # Whoever is wrong about a lease takes a living worker's deliveries: that costs time, and nothing else.
    return Expected(READERS, injected=field.left_by_the_dead(), ahead=HOUR)


def clocks_change(field: Field) -> None:
    """Tick at odd moments through the days around each change of clocks: one issue a local date."""
    newsletter = stored_newsletter(field.engine)
    for name in _ZONES:
        for change in _changes(ZoneInfo(name), field.random.choice((2026, 2027, 2028))):
            rule = field.random.choice(_RULES)
            _live_through(field, newsletter.id, change, name, rule)


def _changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """Return the hours of a year in which the zone's clocks change: a gap and a fold."""
    hours = (datetime(year, 1, 1, tzinfo=UTC) + HOUR * number for number in range(366 * 24))
    return [
        hour
        for hour in hours
        if hour.astimezone(zone).utcoffset() != (hour + HOUR).astimezone(zone).utcoffset()
    ]


def _live_through(field: Field, newsletter_id: NewsletterId, change: datetime, name: str, rule: str) -> None:
    """Have several beats tick from three days before a change of clocks to three days after."""
    now, last, zone = change - _AROUND, change + _AROUND, ZoneInfo(name)
    due = next_due(rule, name, after=now)
    with writing(field.engine) as session:
        schedule = add_schedule(
            session, newsletter_id, cron=rule, timezone=name, window_days=7, next_due=due, now=now
        )
    while now < last:
        for _ in range(_BEATS):
            tick(field.engine, now=now)
        is_near = abs(change - now) < HOUR * 6
        now += timedelta(minutes=field.random.randint(5, 25) if is_near else field.random.randint(200, 340))
    tick(field.engine, now=last)
    with writing(field.engine) as session:
        set_paused(session, schedule.id, paused=True, next_due=last)
        found = list_occurrences(session, schedule.id, limit=100)
    dates = sorted(occurrence.local_date for occurrence in found)
    days = (last.astimezone(zone).date() - due.astimezone(zone).date()).days + 1
    expected = [due.astimezone(zone).date() + timedelta(days=number) for number in range(days)]
    # The last date counts when its hour has come by then.
    is_whole = dates in (expected, expected[:-1])
    field.must(is_whole, f"{name}, '{rule}', {change:%Y-%m-%d}: dates are {[*map(str, dates)]}")


def several_beats(field: Field) -> None:
    """Let three beats tick at the same moment over forty schedules that are due."""
    now = datetime(2026, 11, 23, 7, tzinfo=UTC)
    newsletter = stored_newsletter(field.engine)
    _due_schedules(field, newsletter.id, now)
    together = threading.Barrier(_BEATS)

    def beat(_: int) -> int:
        together.wait()
        return len(tick(field.engine, now=now).started)

    for _ in range(2):
        with ThreadPoolExecutor(_BEATS) as beats:
            started = sum(beats.map(beat, range(_BEATS)))
        now += timedelta(minutes=1)
    field.must(not started, f"{started} runs were started by the second tick of the same minute")
    with reading(field.engine) as session:
        runs = list(session.scalars(select(OccurrenceRow.schedule_id)))
    field.must(len(runs) == len(set(runs)) == _SCHEDULES, f"{len(runs)} runs of {_SCHEDULES} schedules")


def _due_schedules(field: Field, newsletter_id: NewsletterId, now: datetime) -> None:
    with writing(field.engine) as session:
        for _ in range(_SCHEDULES):
            due = now - timedelta(minutes=field.random.randint(0, 59))
            add_schedule(
                session,
                newsletter_id,
                cron=f"{due.minute} {due.hour} * * MON",
                timezone="UTC",
                window_days=7,
                next_due=due,
                now=now,
            )
