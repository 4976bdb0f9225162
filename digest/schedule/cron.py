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

    Fewer when the rule runs out (a 30 February never comes). Raises `InvalidInput` for a rule or zone
    that is none.
    """
    return tuple(islice(_dates(cron, timezone, after), count))


def next_due(cron: str, timezone: str, *, after: datetime) -> datetime:
    """Return the first instant `cron` names after `after`. Raises `InvalidInput` when there is none."""
    for moment in _dates(cron, timezone, after):
        return moment
    raise InvalidInput(f"'{cron}' never comes due: no such date exists")


def _dates(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    start = aware_utc(after).astimezone(zone(timezone))
    try:
        for moment in CronSim(cron, start):
            yield moment.astimezone(UTC)
    except CronSimError as exc:
        raise InvalidInput(
            f"'{cron}' is not a cron rule ({exc}): give minute, hour, day, month and weekday, "
            "as in '0 7 * * MON' for Mondays at 7:00"
        ) from exc
