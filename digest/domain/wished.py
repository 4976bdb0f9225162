"""When a reader wants their mail, by their own clock: on a weekday, at an hour, or both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from digest.domain.errors import InvalidInput
from digest.domain.times import local_moment

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

ANY = "any"
"""What takes a wish back: mail comes when the newsletter sends it."""

_HOUR = re.compile(r"([0-9]{1,2})(?::00)?")


@dataclass(frozen=True, slots=True)
class WishedHour:
    """A weekday (0 is Monday) and an hour (0 to 23) at which a reader wants their mail; None is any.

    Written as `saturday 08:00`, `saturday`, `08:00`, or '' for whenever it is sent.
    """

    weekday: int | None = None
    hour: int | None = None

    def __str__(self) -> str:
        day = "" if self.weekday is None else WEEKDAYS[self.weekday]
        at = "" if self.hour is None else f"{self.hour:02d}:00"
        return f"{day} {at}".strip()

    @property
    def in_words(self) -> str:
        """The wish as ops and editors read it."""
        day = "" if self.weekday is None else f"on {WEEKDAYS[self.weekday].capitalize()}s"
        at = "" if self.hour is None else f"at {self.hour:02d}:00"
        return f"{day} {at}".strip() or "when it is sent"

    def first_from(self, moment: datetime, tz: ZoneInfo) -> datetime:
        """Return the first such hour in `tz` that is not over at `moment`, in UTC: `moment` itself within it.

        A weekday alone keeps the hour that clocks show at `moment`.
        """
        local = moment.astimezone(tz)
        if self.weekday in (None, local.weekday()) and self.hour in (None, local.hour):
            return moment
        at = local.time() if self.hour is None else time(self.hour)
        days = (local.date() + timedelta(days=ahead) for ahead in range(9))
        hours = (local_moment(day, at, tz) for day in days if self.weekday in (None, day.weekday()))
        return next(hour for hour in hours if hour > moment)


WHENEVER = WishedHour()


def parse_wished_hour(text: str) -> WishedHour:
    """Return the wish that `text` names, `any` and '' being none. Raises `InvalidInput`."""
    words = text.strip().lower().split()
    if words in ([], [ANY]):
        return WHENEVER
    weekday = WEEKDAYS.index(words[0]) if words[0] in WEEKDAYS else None
    rest = words if weekday is None else words[1:]
    found = _HOUR.fullmatch(rest[0]) if len(rest) == 1 else None
    hour = int(found[1]) if found else None
    if (rest and hour is None) or (hour is not None and hour > 23):
        raise InvalidInput(
            f"'{text.strip()[:40]}' is no day and hour: write it like 'saturday 08:00', 'saturday', '08:00', "
            f"or '{ANY}' for whenever it is sent"
        )
    return WishedHour(weekday, hour)
