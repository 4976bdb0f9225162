"""Find what is due and record it once, however many look at the same time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.errors import InvalidInput
from digest.domain.schedules import GRACE, Occurrence, OccurrenceState, Schedule
from digest.domain.times import Window, zone
from digest.schedule.cron import dates_after
from digest.store.database import reading, writing
from digest.store.schedules import add_occurrence, claim_due, due_schedules

log = structlog.get_logger(__name__)

_REMEMBERED = 8
"""Missed due dates recorded after an outage. A digest older than that is no news."""


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick started, and what it found too late and holds for ops."""

    started: tuple[Occurrence, ...]
    held: tuple[Occurrence, ...]


def tick(engine: Engine, *, now: datetime) -> Tick:
    """Record an occurrence for every due date that has come.

    The last one found within the grace period runs. One missed by more is held: it never fires by itself,
    and ops choose. So after a week's outage nothing goes out unasked, and nothing is forgotten.
    """
    with reading(engine) as session:
        due = due_schedules(session, now=now)
    found: list[Occurrence] = []
    for schedule in due:
        try:
            found += _occur(engine, schedule, now)
        except InvalidInput as exc:
            # Its zone may have left the system's zone database; the other newsletters are due all the same.
            log.error("schedule.broken", schedule=schedule.id, reason=str(exc))
    return Tick(
        started=tuple(o for o in found if o.state is OccurrenceState.RUNNING),
        held=tuple(o for o in found if o.state is OccurrenceState.HELD),
    )


def _occur(engine: Engine, schedule: Schedule, now: datetime) -> list[Occurrence]:
    missed, then = _dates_until(schedule, now)
    with writing(engine) as session:
        if not claim_due(session, schedule, next_due=then):
            return []
        added = [_add(session, schedule, due_at, now) for due_at in missed]
    occurrences = [occurrence for occurrence in added if occurrence is not None]
    for occurrence in occurrences:
        log.info("schedule.due", schedule=schedule.id, occurrence=occurrence.id, state=occurrence.state)
    return occurrences


def _dates_until(schedule: Schedule, now: datetime) -> tuple[list[datetime], datetime]:
    """Return the due dates that have come, oldest first, and the next one.

    There is one for each local date, its first, and after a long outage the last few alone.
    """
    tz = zone(schedule.timezone)
    dates = deque([schedule.next_due], maxlen=_REMEMBERED)
    for due_at in dates_after(schedule.cron, schedule.timezone, after=schedule.next_due):
        if due_at > now:
            return list(dates), due_at
        if due_at.astimezone(tz).date() != dates[-1].astimezone(tz).date():
            dates.append(due_at)
    raise InvalidInput(f"'{schedule.cron}' never comes due again: no such date exists")


def _add(session: Session, schedule: Schedule, due_at: datetime, now: datetime) -> Occurrence | None:
    is_late = now - due_at > GRACE
    hours = (now - due_at) // timedelta(hours=1)
    return add_occurrence(
        session,
        schedule.id,
        due_at=due_at,
        local_date=due_at.astimezone(zone(schedule.timezone)).date(),
        state=OccurrenceState.HELD if is_late else OccurrenceState.RUNNING,
        note=f"due {due_at:%Y-%m-%d %H:%M} UTC, found {hours} h late" if is_late else "",
        now=now,
    )


def window_of(schedule: Schedule, due_at: datetime) -> Window:
    """Return the whole local days that an issue due at `due_at` covers: those before its local date."""
    return schedule.covered_at(due_at)
