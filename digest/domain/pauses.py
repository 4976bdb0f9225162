"""What stops a send for now: an issue that is paused, or a hold on everything that would be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PROGRAM = "Digest itself"
"""Who did what no person asked for."""


class PauseCause(StrEnum):
    """Why an issue is paused."""

    PERSON = "person"
    FAILURES = "failures"
    """Too large a share of its mails was refused for good or came back."""
    COMPLAINTS = "complaints"
    """Too large a share of its readers called it spam."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of an issue. `by` is the person, `PROGRAM` where it was none; `why` may be ''."""

    cause: PauseCause
    by: str
    why: str
    since: datetime

    @property
    def in_words(self) -> str:
        """Who paused it and why, on one line."""
        return stopped_in_words("paused", self.by, self.why)


class HoldCause(StrEnum):
    """Why nothing at all is sent."""

    PERSON = "person"
    RESTORED = "restored"
    """The database is older than what was sent from it, or stands elsewhere than before."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold on everything that would be sent. `by` is the person, `PROGRAM` where it was none."""

    cause: HoldCause
    by: str
    why: str
    since: datetime

    @property
    def in_words(self) -> str:
        """Who holds everything and why, on one line."""
        return stopped_in_words("held", self.by, self.why)


def stopped_in_words(how: str, by: str, why: str) -> str:
    """Return `paused by Ada Fenwick: wrong date in the intro`."""
    return f"{how} by {by}" + (f": {why}" if why else "")
