"""How many requests a token may make: so many a minute, evenly, with a minute's worth at once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock

from digest.domain.api_tokens import Allowance, ApiToken, TokenId

_KEPT = 10_000
"""Tokens remembered here: of those that were not here for longest, what was not written down is forgotten."""

_PART = 20
"""A twentieth of a minute's worth is written down at once: of a token that makes fewer requests, nothing."""

_FULL_AFTER = timedelta(minutes=1)


@dataclass(slots=True)
class _Here:
    """What one process knows of a token: requests it has let through since it wrote them down."""

    unwritten: int
    last: datetime
    written: Allowance | None


class Pace:
    """Counts the requests of each token, in all processes together.

    What is left stands with the token, which each request reads anyway, and is written for a part of a
    minute's worth. So each process may let through that part too much.
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._part = max(1, per_minute // _PART)
        self._here: OrderedDict[TokenId, _Here] = OrderedDict()
        self._lock = Lock()

    def take(self, token: ApiToken, now: datetime) -> tuple[int, int]:
        """Count a request; return in how many seconds it may come again, and how many to write down.

        0 seconds: it may go on.
        """
        with self._lock:
            here = self._here.pop(token.id, None) or _Here(0, now, None)
            self._here[token.id] = here
            if len(self._here) > _KEPT:
                self._here.popitem(last=False)
            if now - here.last >= _FULL_AFTER:
                here.unwritten = 0
            here.last = now
            left = self._left(token.allowance, here, now)
            if left < 1:
                return ceil((1 - left) * 60 / self.per_minute), 0
            here.unwritten += 1
            if here.unwritten < self._part:
                return 0, 0
            written, here.unwritten = here.unwritten, 0
            # Who asks before that is stored has read the row as it was.
            here.written = Allowance(left - 1, now)
            return 0, written

    def _left(self, stored: Allowance | None, here: _Here, now: datetime) -> float:
        known = [one for one in (stored, here.written) if one is not None]
        newest = max(known, key=lambda one: (one.at, -one.left), default=None)
        left = newest.at_instant(now, self.per_minute) if newest else float(self.per_minute)
        return left - here.unwritten
