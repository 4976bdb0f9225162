"""Cron rules in a zone. cronsim fires once where clocks go back, and once where they skip the hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from cronsim import CronSim, CronSimError

from digest.domain.errors import InvalidInput
from digest.domain.times import aware_utc, zone


def due_dates(cron: str, timezone: str, *, after: datetime, count: int) -> tuple[datetime, ...]:
    """Return the next `count` instants, in UTC, that `cron` names in `timezone` after `after`.

    Fewer when the rule runs out (a first of February that is a fifth Monday never comes). Raises
    `InvalidInput` for a rule or zone that is none.
    """
    return tuple(islice(dates_after(cron, timezone, after=after), count))


def next_due(cron: str, timezone: str, *, after: datetime) -> datetime:
    """Return the first instant `cron` names after `after`, for a schedule that is to run by it.

    Raises `InvalidInput` when there is none, and for a rule that comes due more than once a day: a schedule
    makes one issue for a local date, so every further hour would be passed over in silence.
    """
    _refuse_several_a_day(cron, _parsed(cron, aware_utc(after)))
    found = next(dates_after(cron, timezone, after=after), None)
    if found is None:
        raise InvalidInput(f"'{cron}' never comes due: no such date exists")
    return found


def dates_after(cron: str, timezone: str, *, after: datetime) -> Iterator[datetime]:
    """Yield the instants, in UTC, that `cron` names in `timezone` after `after`, in order.

    Raises `InvalidInput` for a rule or zone that is none, before the first.
    """
    start = aware_utc(after).astimezone(zone(timezone))
    for moment in _parsed(cron, start):
        yield moment.astimezone(UTC)


def _refuse_several_a_day(cron: str, rule: CronSim) -> None:
    times = len(rule.hours) * len(rule.minutes)
    if times == 1:
        return
    once = " ".join([str(min(rule.minutes)), str(min(rule.hours)), *cron.split()[2:]])
    raise InvalidInput(
        f"'{cron}' comes due {times} times a day, and a schedule makes one issue a day: name one minute and "
        f"one hour, as in '{once}'. For another hour make a second schedule, with its own --window-days: two "
        "schedules that cover the same days make one issue, and it is sent once"
    )


def _parsed(cron: str, start: datetime) -> CronSim:
    try:
        # A sixth field would be seconds, and turn off the care for days on which clocks change.
        if len(cron.split()) != 5:
            raise CronSimError(f"{len(cron.split())} fields")
        return CronSim(cron, start)
    except CronSimError as exc:
        raise InvalidInput(
            f"'{cron}' is not a cron rule ({exc}): give minute, hour, day, month and weekday, "
            "as in '0 7 * * MON' for Mondays at 7:00"
        ) from exc
