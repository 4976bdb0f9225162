"""Moments and spans as ops read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


def moment(at: datetime, tz: tzinfo = UTC) -> str:
    """Return `Monday 30 November 2026, 07:00 CET`, as clocks in `tz` show it."""
    local = at.astimezone(tz)
    name = local.tzname() or ""
    # A zone without letters of its own is called by how far it is from UTC, as in `-03`.
    named = name if name.isalpha() else f"UTC{name}"
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} {named}"


def second(at: datetime) -> str:
    """Return `2026-11-23 07:00:12`, in UTC, for what is set side by side with logs."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def span(lasted: timedelta) -> str:
    """Return `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 days 4 h`: two units at most."""
    seconds = max(0.0, lasted.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"


def away(at: datetime, now: datetime) -> str:
    """Return how far off a moment is: `in 3 days 4 h`, `12 min ago`, `now`."""
    if abs(at - now) < timedelta(seconds=30):
        return "now"
    coarse = timedelta(minutes=round((at - now).total_seconds() / 60)) or timedelta(minutes=1)
    return f"in {span(coarse)}" if at > now else f"{span(abs(coarse))} ago"
