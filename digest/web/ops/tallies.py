"""How sends stand, counted once for all who look and never while a page waits for it.

At a million deliveries a count takes half a second. So it is made beside the pages, as often as it is cheap,
and a page shows the newest there is with its time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Annotated

import structlog
from fastapi import Depends, Request

from digest.domain.errors import DigestError
from digest.pipeline.progress import Progress, progress_of
from digest.runtime import Runtime

log = structlog.get_logger(__name__)

FRESH_SECONDS = 1.5
"""A count is made anew when the last is older than this, and than `SPARED` times what that took."""

SPARED = 10
"""So one who watches costs the database a tenth of one processor at most."""

WAIT_SECONDS = 0.15
"""How long a page waits for a first count: of most issues it comes at once."""

_KEPT = 100


@dataclass(slots=True)
class _Count:
    told: Progress | None = None
    at: float = 0.0
    took: float = 0.0
    under_way: Future[None] | None = None

    @property
    def is_stale(self) -> bool:
        age = time.monotonic() - self.at
        return self.told is None or age > max(FRESH_SECONDS, SPARED * self.took)


class Tallies:
    """The newest counts of issues that somebody looks at."""

    def __init__(self, count: Callable[[int], Progress]) -> None:
        self._count = count
        self._counts: OrderedDict[int, _Count] = OrderedDict()
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tallies")

    def of(self, issue_id: int, *, wait: float = 0.0) -> Progress | None:
        """Return the newest count of an issue, None when none came within `wait` seconds.

        A count that is old is made anew meanwhile, for whoever asks next.
        """
        with self._lock:
            kept = self._counts.setdefault(issue_id, _Count())
            self._counts.move_to_end(issue_id)
            under_way = kept.under_way
            if kept.is_stale and (under_way is None or under_way.done()):
                under_way = kept.under_way = self._pool.submit(self._renew, issue_id, kept)
            while len(self._counts) > _KEPT:
                self._counts.popitem(last=False)
        if under_way is not None and wait:
            _wait_for(under_way, wait)
        return kept.told

    def forget(self, issue_id: int) -> None:
        """Count an issue anew for the next who asks: somebody has just changed how it stands."""
        with self._lock:
            self._counts.pop(issue_id, None)

    def _renew(self, issue_id: int, kept: _Count) -> None:
        begun = time.monotonic()
        try:
            kept.told = self._count(issue_id)
        except DigestError as exc:
            log.warning("web.not_counted", issue=issue_id, reason=str(exc))
        finally:
            kept.at = time.monotonic()
            kept.took = kept.at - begun


def _wait_for(under_way: Future[None], seconds: float) -> None:
    try:
        under_way.result(seconds)
    except TimeoutError:
        return


def _tallies(request: Request) -> Tallies:
    state = request.app.state
    if not hasattr(state, "tallies"):
        runtime: Runtime = state.runtime
        state.tallies = Tallies(lambda issue_id: progress_of(runtime, issue_id))
    tallies: Tallies = state.tallies
    return tallies


async def _the_tallies(request: Request) -> Tallies:
    return _tallies(request)


TheTallies = Annotated[Tallies, Depends(_the_tallies)]
