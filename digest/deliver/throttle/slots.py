"""Moments at which mail may leave under a cap: evenly spread, taken some seconds ahead.

The generic cell rate algorithm (ITU-T I.371): all that is kept of a cap is its last slot. Nobody takes
slots further ahead than `AHEAD`, so a worker that dies takes few with it and a pause is felt at once.
"""

from __future__ import annotations

import random

from digest.store.throttles import Slots

AHEAD = 10.0
"""Seconds that slots are taken ahead."""

PUT_OFF_MOST = 1800.0
"""Seconds that a delivery is put off at most. Who raises a cap sees it felt within that time."""

_CATCH_UP = 1.0
"""Seconds of slots that may be caught up on when none were taken: hints and commits come in jerks."""

_CLOCKS_APART = 60.0
"""Seconds by which hosts' clocks may differ. A last slot still further ahead is a clock's fault, or of a
time when the cap was lower."""


def first_free(slots: Slots, rate: float, *, now: float) -> float:
    """Return the next slot at `rate` mails a second; one that has passed may be used at once."""
    if slots.last > now + AHEAD + _CLOCKS_APART:
        return now
    return max(slots.last + 1 / rate, now - _CATCH_UP)


def count_free(slots: Slots, rate: float, *, now: float) -> int:
    """Return how many slots there are up to `AHEAD` from now."""
    room = now + AHEAD - first_free(slots, rate, now=now)
    return int(room * rate) + 1 if room >= 0 else 0


def take(slots: Slots, rate: float, wanted: int, *, now: float) -> tuple[list[float], Slots]:
    """Take up to `wanted` slots; return them in order, and what is taken then."""
    count = min(wanted, count_free(slots, rate, now=now))
    if not count:
        return [], slots
    first = first_free(slots, rate, now=now)
    taken = [first + n / rate for n in range(count)]
    return taken, Slots(taken[-1], slots.promised)


def put_off(slots: Slots, rate: float, count: int, *, now: float) -> tuple[list[float], Slots]:
    """Return moments to try `count` deliveries again at for which there was no slot, and what is taken then.

    They follow one another, and whoever was put off before, as slots do; so few come when there is none.
    """
    latest = now + PUT_OFF_MOST
    behind = slots.promised if slots.promised <= latest else now
    first = max(slots.last, behind, now) + 1 / rate
    moments = [first + n / rate for n in range(count)]
    promised = min(moments[-1], latest) if moments else slots.promised
    return [at if at <= latest else some_time_later(now) for at in moments], Slots(slots.last, promised)


def some_time_later(now: float) -> float:
    """Return a moment in the second half of the longest wait, so that not all come back together."""
    return now + PUT_OFF_MOST * random.uniform(0.5, 1.0)


def opens_at(slots: Slots, rate: float, wanted: int, *, now: float) -> float:
    """Return when a quarter of what can be taken ahead is free, or `wanted` if that is less; `now` if it is.

    Two workers would otherwise take slot by slot, and pay for each with a transaction.
    """
    needed = max(1, min(wanted, int(rate * AHEAD / 4)))
    return max(now, first_free(slots, rate, now=now) + (needed - 1) / rate - AHEAD)
