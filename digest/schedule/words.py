"""Cron rules as people say them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from digest.schedule.weekly import DAYS, as_weekly

_FIRST = re.compile(r"At (\d\d:\d\d) (.+)")


def in_words(cron: str) -> str:
    """Return `Every Monday at 07:00` for `0 7 * * MON`; a rule that is none is returned as it is."""
    if weekly := as_weekly(cron):
        return f"{_days(weekly.days)} at {weekly.at:%H:%M}"
    try:
        told = CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)).explain()
    except CronSimError:
        return cron
    found = _FIRST.fullmatch(told)
    return f"{found[2][0].upper()}{found[2][1:]} at {found[1]}" if found else told


def _days(days: tuple[int, ...]) -> str:
    if len(days) == len(DAYS):
        return "Every day"
    if days == (0, 1, 2, 3, 4):
        return "Monday to Friday"
    names = [DAYS[day] for day in days]
    return f"Every {', '.join(names[:-1])} and {names[-1]}" if names[1:] else f"Every {names[0]}"
