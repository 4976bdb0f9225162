"""How sends stand, counted once for all who look and never while a page waits for it.

At a million deliveries a count takes half a second. So it is made beside the pages, as often as it is cheap,
and a page shows the newest there is with its time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Generic, TypeVar

import structlog
from fastapi import Depends, Request

from digest.domain.errors import DigestError
from digest.pipeline.progress import Progress, progress_of
from digest.runtime import Runtime
from digest.store.growth import Growth

Told = TypeVar("Told")

log = structlog.get_logger(__name__)

FRESH_SECONDS = 1.5
"""A count is made anew when the last is older than this, and than `SPARED` times what that took."""

SPARED = 10
"""So one who watches costs the database a tenth of one processor at most."""

WAIT_SECONDS = 0.15
"""How long a page waits for a first count: of most issues it comes at once."""

QUICK_SECONDS = 0.1
"""What the last count took less than is counted anew for each page that wants the newest."""

_KEPT = 100


@dataclass(slots=True)
class _Count(Generic[Told]):
    told: Told | None = None
    at: float = 0.0
    took: float = 0.0
    under_way: Future[None] | None = None

    def is_stale(self, fresh: float) -> bool:
        age = time.monotonic() - self.at
        return self.told is None or age > max(fresh, SPARED * self.took)


class Kept(Generic[Told]):
    """The newest counts of what somebody looks at, by number."""

    def __init__(self, count: Callable[[int], Told], *, fresh: float | None = None) -> None:
        self._count = count
        self._fresh = fresh
        self._counts: OrderedDict[int, _Count[Told]] = OrderedDict()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tallies")

    def of(self, number: int, *, wait: float = 0.0) -> Told | None:
        """Return the newest count of one, None when none came within `wait` seconds.

        A count that is old is made anew meanwhile, for whoever asks next.
        """
        fresh = FRESH_SECONDS if self._fresh is None else self._fresh
        kept = self._looked_at(number, lambda kept: kept.is_stale(fresh))
        _wait_for(kept, wait)
        return kept.told

    def newest(self, numbers: Iterable[int], *, wait: float | None = None) -> Mapping[int, Told]:
        """Return the newest counts of these that are there within `wait` seconds (`WAIT_SECONDS`) in all.

        What is counted quickly is counted now. All else is as old as `of` lets it be.
        """
        until = time.monotonic() + (WAIT_SECONDS if wait is None else wait)
        found = {
            number: self._looked_at(
                number, lambda kept: kept.took < QUICK_SECONDS or kept.is_stale(FRESH_SECONDS)
            )
            for number in numbers
        }
        for kept in found.values():
            _wait_for(kept, until - time.monotonic())
        return {number: kept.told for number, kept in found.items() if kept.told is not None}

    def _looked_at(self, number: int, is_due: Callable[[_Count[Told]], bool]) -> _Count[Told]:
        """Return the count of one, having begun to make it anew where that is due and not under way."""
        with self._lock:
            kept = self._counts.setdefault(number, _Count())
            self._counts.move_to_end(number)
            if is_due(kept) and (kept.under_way is None or kept.under_way.done()):
                kept.under_way = self._pool.submit(self._renew, number, kept)
            while len(self._counts) > _KEPT:
                self._counts.popitem(last=False)
        return kept

    def forget(self, number: int) -> None:
        """Count one anew for the next who asks: somebody has just changed how it stands."""
        with self._lock:
            self._counts.pop(number, None)

    def _renew(self, number: int, kept: _Count[Told]) -> None:
        begun = time.monotonic()
        try:
            kept.told = self._count(number)
        except DigestError as exc:
            log.warning("web.not_counted", number=number, reason=str(exc))
        finally:
            kept.at = time.monotonic()
            kept.took = kept.at - begun


def _wait_for(kept: _Count[Told], seconds: float) -> None:
    if kept.under_way is None or seconds <= 0:
        return
    try:
        kept.under_way.result(seconds)
    except TimeoutError:
        return


Tallies = Kept[Progress]
"""How issues are sent, by their numbers."""

Growths = Kept[Growth]
"""Who came and left, by newsletters' numbers."""


async def _tallies(request: Request) -> Tallies:
    state = request.app.state
    if not hasattr(state, "tallies"):
        runtime: Runtime = state.runtime
        state.tallies = Kept(lambda issue_id: progress_of(runtime, issue_id))
    tallies: Tallies = state.tallies
    return tallies


TheTallies = Annotated[Tallies, Depends(_tallies)]
