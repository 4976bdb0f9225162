"""Rules that most newsletters have: at one time, on some days of the week."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time

from cronsim import CronSim, CronSimError

from digest.domain.errors import InvalidInput

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Weekly:
    """Days of the week, 0 for Monday, and the time on each."""

    days: tuple[int, ...]
    at: time


def as_weekly(cron: str) -> Weekly | None:
    """Return what a cron rule says of weeks, None when it says more, or is none."""
    fields = cron.split()
    try:
        rule = CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return None
    is_weekly = len(fields) == 5 and fields[2:4] == ["*", "*"] and len(rule.hours) == len(rule.minutes) == 1
    days = {(day - 1) % 7 for day in rule.weekdays if isinstance(day, int)}
    if not is_weekly or any(not isinstance(day, int) for day in rule.weekdays):
        return None
    return Weekly(tuple(sorted(days)), time(min(rule.hours), min(rule.minutes)))


def weekly_rule(days: Collection[int], at: str) -> str:
    """Return the cron rule for these days at `at`, as `07:30`. Raises `InvalidInput` when one is missing."""
    if not days:
        raise InvalidInput("choose at least one day of the week")
    try:
        when = time.fromisoformat(at)
    except ValueError as exc:
        raise InvalidInput(f"'{at[:20]}' is no time of day: give hours and minutes, as in 07:30") from exc
    named = "*" if len(set(days)) == len(DAYS) else ",".join(DAYS[day][:3].upper() for day in sorted(days))
    return f"{when.minute} {when.hour} * * {named}"
