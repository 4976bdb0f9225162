"""A schedule says when a newsletter's issues are due; an occurrence is one due date of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.times import Window, zone

ScheduleId = NewType("ScheduleId", int)
OccurrenceId = NewType("OccurrenceId", int)

GRACE = timedelta(hours=6)
"""An occurrence found later than this is held for ops: a digest that goes out at midnight surprises."""


class OccurrenceState(StrEnum):
    """Where an occurrence stands. `HELD` waits for ops, `WAITING` for an editor's approval."""

    RUNNING = "running"
    WAITING = "waiting"
    HELD = "held"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class Stage(StrEnum):
    """The stages of a run, in order."""

    GATHER = "gather"
    CONDENSE = "condense"
    COMPOSE = "compose"
    APPROVE = "approve"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a newsletter is due: a cron rule in a zone, and how many local days an issue of it covers."""

    id: ScheduleId
    newsletter_id: NewsletterId
    cron: str
    timezone: str
    window_days: int
    next_due: datetime
    is_paused: bool = False

    def covered_at(self, due_at: datetime) -> Window:
        """Return the whole local days that an issue due at `due_at` covers: those before its local date."""
        return Window.before(due_at, self.window_days, zone(self.timezone))

    def date_of(self, window: Window) -> date | None:
        """Return the local date whose issue covers just `window`, None when no date's does."""
        same = self.covered_at(window.end) == window
        return window.end.astimezone(zone(self.timezone)).date() if same else None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One due date of a schedule and how far its run has come. `note` is in words, for ops."""

    id: OccurrenceId
    schedule_id: ScheduleId
    local_date: date
    due_at: datetime
    state: OccurrenceState
    stage: Stage
    issue_id: IssueId | None = None
    note: str = ""
