"""What became of each stage of a scheduled run, attempt by attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.issues import IssueId
from digest.domain.schedules import Occurrence, Stage


class StageOutcome(StrEnum):
    """How an attempt at a stage ended."""

    DONE = "done"
    UNFINISHED = "unfinished"
    """Its time was over before its work was; another task goes on."""
    LATER = "later"
    """Something could not be reached: it is tried again."""
    WAITING = "waiting"
    """A person has to decide."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StageRun:
    """One attempt at a stage. `told` says in words what it came to: counts, or what was wrong.

    Without an `outcome` it goes on, or its worker ended in the middle of it.
    """

    stage: Stage
    attempt: int
    began_at: datetime
    ended_at: datetime | None = None
    outcome: StageOutcome | None = None
    told: str = ""

    @property
    def lasted(self) -> timedelta | None:
        """How long it took, None while it goes on."""
        return None if self.ended_at is None else self.ended_at - self.began_at


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """A run in a list: the occurrence and whose it is. Until `lease_until` a worker may be at it."""

    occurrence: Occurrence
    newsletter: str
    timezone: str
    lease_until: datetime | None = None

    @property
    def issue_id(self) -> IssueId | None:
        """The issue it made, None before there is one."""
        return self.occurrence.issue_id
