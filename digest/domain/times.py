"""Instants are aware UTC, windows half-open, and local dates belong to a named zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from digest.domain.errors import InvalidInput


def aware_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC. Raises `ValueError` when it has no zone: a guess would be wrong."""
    if moment.tzinfo is None:
        raise ValueError(f"naive datetime {moment!r}: give it a zone")
    return moment.astimezone(UTC)


def zone(name: str) -> ZoneInfo:
    """Return the IANA zone `name`. Raises `InvalidInput` for a name the zone database lacks."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise InvalidInput(
            f"'{name}' is not a time zone: use an IANA name such as Europe/Paris or America/New_York"
        ) from exc


def http_date(text: str) -> datetime | None:
    """Return a date in any form that HTTP or mail has known, in UTC; None for all else, however strange."""
    try:
        when = parsedate_to_datetime(text[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except OverflowError:
        return None


def retry_after(value: str, *, now: datetime) -> timedelta | None:
    """Return how long a Retry-After field (RFC 9110 §10.2.3) asks to wait, never less than nothing.

    None when it is neither seconds nor a date. APIs send fractions of seconds, too.
    """
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]+)?", value):
        return timedelta(seconds=float(value))
    until = http_date(value)
    return None if until is None else max(until - now, timedelta(0))


def local_midnight(day: date, tz: ZoneInfo) -> datetime:
    """Return the instant `day` begins in `tz`, in UTC."""
    return datetime.combine(day, time.min, tzinfo=tz).astimezone(UTC)


def local_moment(day: date, at: time, tz: ZoneInfo) -> datetime:
    """Return the instant at which clocks in `tz` first show that date and hour, in UTC.

    When they never do, because they went forward over it, the first instant after that. A date that a zone
    left out (Samoa's 30 December 2011) is over when the next begins.
    """
    wanted = datetime.combine(day, at)
    instant = wanted.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == wanted:
        return instant
    # Both readings of an hour that never was lie on either side of the leap.
    before = wanted.replace(tzinfo=tz, fold=1).astimezone(UTC)
    return _leap(min(before, instant), max(before, instant), tz)


def _leap(before: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """Return the first whole second in `(before, after]` at which clocks show the later offset."""
    later = after.astimezone(tz).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(tz).utcoffset() == later:
            high = middle
        else:
            low = middle
    return before + timedelta(seconds=high)


def by_the_clock(moment: datetime, tz: ZoneInfo) -> str:
    """Return an instant as clocks in `tz` show it: '07:00 Europe/Paris on Monday 23 Nov'."""
    local = moment.astimezone(tz)
    return f"{local:%H:%M} {tz.key} on {local:%A} {local.day} {local:%b}"


@dataclass(frozen=True, slots=True)
class OwnHour:
    """A date and an hour that every reader's own clock shows at another moment."""

    day: date
    at: time

    @classmethod
    def of(cls, moment: datetime, tz: ZoneInfo) -> OwnHour:
        """Return what clocks in `tz` show at `moment`."""
        local = moment.astimezone(tz)
        return cls(local.date(), local.time())

    def where(self, tz: ZoneInfo) -> datetime:
        """Return when clocks in `tz` show it, in UTC. See `local_moment`."""
        return local_moment(self.day, self.at, tz)


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span `[start, end)` of an issue, in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", aware_utc(self.start))
        object.__setattr__(self, "end", aware_utc(self.end))
        if self.start >= self.end:
            raise ValueError(f"window ends before it starts: {self.start} .. {self.end}")

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @classmethod
    def of_days(cls, first: date, last: date, tz: ZoneInfo) -> Window:
        """Return the whole local days `first` to `last`, both included."""
        return cls(local_midnight(first, tz), local_midnight(last + timedelta(days=1), tz))

    @classmethod
    def before(cls, now: datetime, days: int, tz: ZoneInfo) -> Window:
        """Return the `days` whole local days that end at the midnight before `now`.

        Two runs on one local date get the same window, so the second finds the first one's issue.
        """
        today = aware_utc(now).astimezone(tz).date()
        return cls.of_days(today - timedelta(days=days), today - timedelta(days=1), tz)

    def local_days(self, tz: ZoneInfo) -> tuple[date, date]:
        """Return the first and the last local date the window covers."""
        last_instant = self.end - timedelta(microseconds=1)
        return self.start.astimezone(tz).date(), last_instant.astimezone(tz).date()
