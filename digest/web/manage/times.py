"""Moments as somebody reads them who looks now: two hours ago, in ten minutes."""

from __future__ import annotations

from datetime import datetime

from digest.domain.counting import counted

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def told(moment: datetime | None, now: datetime, *, never: str = "never") -> str:
    """Return `2 hours ago`, `in 10 minutes` or, a month and more away, `16 Nov 2026`."""
    if moment is None:
        return never
    seconds = (moment - now).total_seconds()
    if abs(seconds) < _MINUTE:
        return "just now" if seconds <= 0 else "in a moment"
    if abs(seconds) >= 30 * _DAY:
        return f"{moment:%-d %b %Y}"
    span = _span(abs(seconds))
    return f"{span} ago" if seconds < 0 else f"in {span}"


def _span(seconds: float) -> str:
    for unit, noun in ((_DAY, "day"), (_HOUR, "hour")):
        if seconds >= unit:
            return counted(round(seconds / unit), noun)
    return counted(round(seconds / _MINUTE), "minute")
