"""Hours in which a newsletter sends nothing, as the clock on its own wall shows them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.domain.errors import InvalidInput
from digest.domain.times import aware_utc

_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2}) ?[-–] ?([0-9]{1,2}):([0-9]{2})", re.ASCII)
_MINUTE = timedelta(minutes=1)
_LONGEST = 26 * 60
"""Minutes: a day that gains an hour, and one to spare."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until just before `end`, each day; over midnight where `end` is the earlier.

    What counts is the clock on the wall: an hour that the clocks leave out is not waited for, and one that
    comes twice is quiet twice.
    """

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> QuietHours | None:
        """Read `22:00-07:00`; '' is None. Raises `InvalidInput` for anything else."""
        if not text.strip():
            return None
        found = _HOURS.fullmatch(text.strip())
        start = end = None
        if found:
            hour, minute, last_hour, last_minute = map(int, found.groups())
            with suppress(ValueError):
                start, end = time(hour, minute), time(last_hour, last_minute)
        if start is None or end is None:
            raise InvalidInput(f"'{text.strip()}' are no hours: write from and to, as in 22:00-07:00")
        if start == end:
            raise InvalidInput(
                f"'{text.strip()}' ends when it begins: leave it empty for no quiet hours, or pause the issue"
            )
        return cls(start, end)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def holds(self, moment: datetime, tz: ZoneInfo) -> bool:
        """Whether nothing is to be sent at this instant."""
        shown = moment.astimezone(tz).time()
        if self.start < self.end:
            return self.start <= shown < self.end
        return shown >= self.start or shown < self.end

    def until(self, moment: datetime, tz: ZoneInfo) -> datetime:
        """Return the first instant from `moment` on, to the minute and in UTC, that is not quiet."""
        at = aware_utc(moment)
        if not self.holds(at, tz):
            return at
        at = at.replace(second=0, microsecond=0)
        # Minute by minute: which local times there are on a day, and how often, only the zone knows.
        return next(later for n in range(1, _LONGEST) if not self.holds(later := at + n * _MINUTE, tz))
