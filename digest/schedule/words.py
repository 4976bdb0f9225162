"""Cron rules as people say them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST = re.compile(r"At (\d\d:\d\d) (.+)")


def in_words(cron: str) -> str:
    """Return `Every Monday at 07:00` for `0 7 * * MON`; a rule that is none is returned as it is."""
    try:
        rule = CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return cron
    fields = cron.split()
    if len(rule.hours) == len(rule.minutes) == 1 and fields[2:4] == ["*", "*"]:
        days = {(day - 1) % 7 for day in rule.weekdays if isinstance(day, int)}
        if all(isinstance(day, int) for day in rule.weekdays):
            return f"{_weekly(sorted(days))} at {min(rule.hours):02}:{min(rule.minutes):02}"
    told = rule.explain()
    found = _FIRST.fullmatch(told)
    return f"{found[2][0].upper()}{found[2][1:]} at {found[1]}" if found else told


def _weekly(days: list[int]) -> str:
    if len(days) == 7:
        return "Every day"
    if days == [0, 1, 2, 3, 4]:
        return "Monday to Friday"
    names = [_DAYS[day] for day in days]
    return f"Every {', '.join(names[:-1])} and {names[-1]}" if names[1:] else f"Every {names[0]}"
