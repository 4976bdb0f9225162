"""How often a subscriber wants a newsletter: at every issue, or at one a week, fortnight or month.

Counted in days of issues, not in hours: a schedule that is late, or a clock that goes forward, moves nobody's
turn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from enum import StrEnum

from digest.domain.errors import InvalidInput


class Cadence(StrEnum):
    """How often a subscriber wants a newsletter."""

    EVERY = "every"
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"

    @property
    def in_words(self) -> str:
        """The cadence as ops and editors read it."""
        return _WORDS[self]


_WORDS = {
    Cadence.EVERY: "every issue",
    Cadence.WEEKLY: "one issue a week",
    Cadence.FORTNIGHTLY: "one issue a fortnight",
    Cadence.MONTHLY: "the first issue of each month",
}

_DAYS = {Cadence.EVERY: 0, Cadence.WEEKLY: 7, Cadence.FORTNIGHTLY: 14, Cadence.MONTHLY: 14}
MOST_DAYS = 31
"""An issue that many days back makes nobody wait any more."""


def due_on(cadence: Cadence, last: date, *, window_days: int) -> date:
    """Return from which day on a reader is due again who was last sent the issue of the day `last`.

    An issue's day is the one after those it covers. One that comes early by up to half of what it covers is
    the reader's all the same, so that a weekly moved from Monday to Saturday costs nobody an issue. A month
    is the calendar's: its first issue, but none so soon after the last that a fortnight is not over.
    """
    days = max(0, _DAYS[cadence] - window_days // 2)
    soonest = last + timedelta(days=days)
    if cadence is not Cadence.MONTHLY:
        return soonest
    return max(soonest, (last.replace(day=1) + timedelta(days=32)).replace(day=1))


def parse_cadence(text: str, offered: Collection[Cadence]) -> Cadence:
    """Return the cadence that `text` names. Raises `InvalidInput`, which names those `offered`."""
    wanted = text.strip().lower()
    if wanted not in offered:
        raise InvalidInput(
            f"'{text}' is no cadence of this newsletter; it offers: {', '.join(offered)} ('digest newsletter "
            "change … --cadence' offers others)"
        )
    return Cadence(wanted)


def in_order(cadences: Iterable[Cadence]) -> tuple[Cadence, ...]:
    """Return each of these once, the most frequent first."""
    wanted = set(cadences)
    return tuple(cadence for cadence in Cadence if cadence in wanted)
