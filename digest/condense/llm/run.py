"""What all articles of one run share: whether the model is still asked at all."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

FAILURES_IN_A_ROW = 5
"""Articles that came to nothing one after the other, each after all its attempts: it is not the article."""
FIRST_WAIT = 1.0
"""Seconds before the second attempt, at most; twice that before the third, and so on."""
LONGEST_WAIT = 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Time, so that tests need not wait: a clock in seconds, a pause, and a draw between 0 and a number."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    draw: Callable[[float], float] = lambda most: random.uniform(0, most)


class Run:
    """One run: its deadline, and the reason why it stopped asking ('' while it asks)."""

    def __init__(self, seconds: float, pace: Pace) -> None:
        self.stopped = ""
        self._seconds = seconds
        self._pace = pace
        self._end = pace.clock() + seconds
        self._failures = 0

    @property
    def left(self) -> float:
        """Seconds until the deadline, 0 when it is past."""
        return max(0.0, self._end - self._pace.clock())

    def why_not(self) -> str:
        """Say why nothing is asked any more, or '' when it may be."""
        if not self.stopped and not self.left:
            self.stop(f"the run's {self._seconds:.0f} s for asking the model are over")
        return self.stopped

    def stop(self, why: str) -> None:
        """Ask no more in this run; the first reason stays."""
        if not self.stopped:
            self.stopped = why
            log.warning("llm.stopped", why=why)

    def answered(self) -> None:
        """Note that the model is in order."""
        self._failures = 0

    def failed(self, words: str) -> None:
        """Note that an article came to nothing, and stop when it was one too many in a row."""
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW:
            self.stop(
                f"the model failed for {self._failures} articles in a row and is not asked again ({words})"
            )

    async def pause(self, attempt: int, wait: timedelta | None) -> bool:
        """Wait before the next attempt; False, at once, when the run would be over by then.

        Exponential back-off with full jitter: drawn between 0 and a bound that doubles with each attempt
        (from 1 on), so that many who failed together do not come back together. What the server asked for is
        waited on top of that.
        """
        bound = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
        seconds = (wait.total_seconds() if wait else 0.0) + self._pace.draw(bound)
        return await self.wait(seconds)

    async def wait(self, seconds: float) -> bool:
        """Wait so long; False, at once, when the run would be over by then."""
        if seconds >= self.left:
            return False
        await self._pace.sleep(seconds)
        return True
