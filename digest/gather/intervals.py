"""When a source is polled next: often while it brings something, seldom while it does not.

Sources that publish daily need no poll every few minutes, and servers say how often they want to be asked.
What they say can only make a poll later, never earlier.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime, timedelta

from digest.domain.sources import FIRST_INTERVAL, Asked, Standing

SHORTEST, LONGEST = timedelta(minutes=15), timedelta(hours=12)
"""Bounds of what a source's own habits lead to: twice a day is soon enough for the slowest."""
MOST_ASKED = timedelta(days=1)
"""Longer pauses between polls than this are not granted: what came would be old."""
LONGEST_WAIT = timedelta(days=7)
"""How long at most a failing source is left alone, and a `Retry-After` obeyed."""

_FIRST_RETRY = timedelta(minutes=5)
_SPREAD = 0.1


def after_list(standing: Standing, asked: Asked, *, new: int, now: datetime, seed: str) -> Standing:
    """Return a source's standing after its list was read, with `new` articles or unchanged.

    `asked` is what the list and its answer ask for now; after an unchanged one, what they asked before and
    the answer does not take back.
    `seed` (its address) spreads the polls of sources that were added together.
    """
    interval = _adapted(standing, new)
    wanted = [interval, *(wish for wish in (asked.ttl, asked.fresh_for) if wish)]
    pause = min(max(wanted), max(MOST_ASKED, interval))
    return replace(
        standing,
        polled_at=now,
        succeeded_at=now,
        new_at=now if new else standing.new_at,
        interval=interval,
        asked=asked,
        next_poll_at=_outside_skipped(now + _spread(pause, seed), asked),
        fresh_until=now + min(asked.fresh_for, MOST_ASKED) if asked.fresh_for else None,
        wait_until=None,
        last_error="",
        failing_since=None,
        failures=0,
        alerted_at=None,
    )


def after_failure(
    standing: Standing, error: str, *, retry_after: timedelta | None, now: datetime, seed: str
) -> Standing:
    """Return a source's standing after a poll that failed: each failure doubles the pause, up to a day.

    `error` says in words what failed, `retry_after` what the server asked for. The hours and days that the
    list wants to be spared are kept free of tries too.
    """
    pause = min(_FIRST_RETRY * 2 ** min(standing.failures, 20), MOST_ASKED)
    wait = min(retry_after, LONGEST_WAIT) if retry_after else None
    return replace(
        standing,
        polled_at=now,
        next_poll_at=_outside_skipped(now + max(_spread(pause, seed), wait or timedelta()), standing.asked),
        wait_until=now + wait if wait else None,
        last_error=error,
        failing_since=standing.failing_since or now,
        failures=standing.failures + 1,
    )


def _adapted(standing: Standing, new: int) -> timedelta:
    if standing.succeeded_at is None:
        return FIRST_INTERVAL
    return max(SHORTEST, standing.interval / 2) if new else min(LONGEST, standing.interval * 1.5)


def _spread(pause: timedelta, seed: str) -> timedelta:
    """Return `pause` up to a tenth longer, by the source, so that not all are due in one minute."""
    return pause * (1 + _SPREAD * (zlib.crc32(seed.encode()) % 1000) / 1000)


def _outside_skipped(moment: datetime, asked: Asked) -> datetime:
    """Return `moment`, or the full hour after it that the server does not want to be spared in."""
    for _ in range(7 * 24):
        if moment.hour not in asked.skip_hours and moment.weekday() not in asked.skip_days:
            return moment
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return moment
