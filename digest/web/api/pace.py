"""How many requests a token may make: so many a minute, evenly, with a minute's worth at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from time import monotonic

from digest.domain.api_tokens import TokenId

_KEPT = 10_000
"""Tokens remembered: whoever was not here for longest has a full allowance again."""


class Pace:
    """Counts the requests of each token in this process. For one thread: the event loop's."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._most = float(per_minute)
        self._clock = clock
        self._left: OrderedDict[TokenId, tuple[float, float]] = OrderedDict()

    def take(self, token: TokenId) -> int:
        """Count a request: return 0 when it may go on, else in how many seconds the next one may."""
        now = self._clock()
        left, at = self._left.pop(token, (self._most, now))
        left = min(self._most, left + (now - at) * self._most / 60)
        is_let = left >= 1
        self._left[token] = (left - 1 if is_let else left, now)
        if len(self._left) > _KEPT:
            self._left.popitem(last=False)
        return 0 if is_let else ceil((1 - left) * 60 / self._most)
