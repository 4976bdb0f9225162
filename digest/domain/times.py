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
