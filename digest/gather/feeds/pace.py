"""How often a feed asks to be read: `ttl`, `skipHours`, `skipDays`, and the syndication module of RSS 1.0."""

from __future__ import annotations

from datetime import timedelta

from digest.gather.feeds.fields import Fields

LONGEST = timedelta(days=31)
"""What asks for more is a mistake: minutes and seconds are mixed up."""

_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def interval(channel: Fields) -> timedelta | None:
    """Return how long a copy of the feed is good for; None when it does not say, or over a month."""
    minutes = _number(channel.text("ttl"))
    period = _PERIODS.get(channel.text("sy:updateperiod").lower())
    if minutes:
        told = timedelta(minutes=minutes)
    elif period:
        told = period / (_number(channel.text("sy:updatefrequency")) or 1)
    else:
        return None
    return told if told <= LONGEST else None


def skipped_hours(channel: Fields) -> frozenset[int]:
    """Return the hours in UTC in which not to ask; 24, which RSS 0.91 has, is 0."""
    written = [_number(text) for fields in channel.inner("skiphours") for text in fields.texts("hour")]
    return frozenset(hour % 24 for hour in written if hour is not None and hour <= 24)


def skipped_days(channel: Fields) -> frozenset[int]:
    """Return the weekdays in UTC on which not to ask, 0 for Monday."""
    written = [text.lower() for fields in channel.inner("skipdays") for text in fields.texts("day")]
    return frozenset(_DAYS.index(day) for day in written if day in _DAYS)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 8 else None
