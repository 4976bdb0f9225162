"""Why readers leave, and for how long they may come back by the link they left by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState

UNDO_WITHIN = timedelta(days=30)
"""So long a click takes an unsubscription back. Later a new sign-up does, with a consent of its own."""

WORDS_MAX = 1_000
"""Characters of a reader's own words that are kept. A form may send more: what is over is cut."""


class Reason(StrEnum):
    """Why somebody left, as they chose it from a list."""

    TOO_OFTEN = "too-often"
    TOO_MUCH = "too-much"
    OTHER_INTERESTS = "other-interests"
    NOT_GOOD = "not-good"
    NEVER_ASKED = "never-asked"
    OTHER = "other"

    @property
    def in_words(self) -> str:
        """The reason as ops and editors read it."""
        return _IN_WORDS[self]


_IN_WORDS = {
    Reason.TOO_OFTEN: "it comes too often",
    Reason.TOO_MUCH: "each mail is too long",
    Reason.OTHER_INTERESTS: "it is not about what they want to read",
    Reason.NOT_GOOD: "it does not help them",
    Reason.NEVER_ASKED: "they never asked for it",
    Reason.OTHER: "something else",
}


@dataclass(frozen=True, slots=True)
class Departure:
    """An unsubscription that was not taken back: when, why as far as that was said, and out of what.

    `act` is shared by what was left by one link without a return in between. `was` is the state that was
    left, `paused_until` the day on which its pause would have ended.
    """

    at: datetime
    reason: Reason | None = None
    words: str = ""
    act: int = 0
    was: SubscriptionState = SubscriptionState.ACTIVE
    paused_until: datetime | None = None

    def back_to(self, now: datetime) -> tuple[SubscriptionState, datetime | None]:
        """Return what the subscription becomes if this is taken back now, and when its pause ends then.

        What it was: nobody confirms or ends a pause by that. A pause that has ended since is over.
        """
        if self.was is SubscriptionState.PAUSED and self.paused_until and self.paused_until <= now:
            return SubscriptionState.ACTIVE, None
        return self.was, self.paused_until


@dataclass(frozen=True, slots=True)
class Left:
    """A newsletter that somebody left at a moment, and what it becomes if that is taken back."""

    newsletter_id: NewsletterId
    at: datetime
    state: SubscriptionState
    paused_until: datetime | None = None

    def can_come_back(self, now: datetime) -> bool:
        """Whether a click still takes it back."""
        return self.at >= now - UNDO_WITHIN


@dataclass(frozen=True, slots=True)
class Back:
    """A newsletter whose unsubscription was taken back, and how it stands now."""

    newsletter_id: NewsletterId
    state: SubscriptionState
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Departures:
    """Who left after an issue was the last they were sent. Those who came back are not counted.

    `reasons` counts those who said why, the most frequent first; `words` are what some wrote, the newest
    first.
    """

    count: int
    reasons: Mapping[Reason, int]
    words: tuple[str, ...] = ()
