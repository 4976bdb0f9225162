"""Work with passwords, a few at a time, beside the threads that pages need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from digest.domain.counting import counted
from digest.domain.errors import Conflict

T = TypeVar("T")

_comparing = CapacityLimiter(2)
"""Each takes 64 MiB and a processor. Who comes in crowds waits here, and only they."""


def in_minutes(wait: timedelta) -> str:
    """Return how long to wait, in words: `1 minute`, never less."""
    return counted(max(1, -(-int(wait.total_seconds()) // 60)), "minute")


def require_patience(wait: timedelta | None) -> None:
    """Raise `Conflict`, in words, for who tried too often."""
    if wait is not None:
        raise Conflict(f"that was tried too often; nothing was changed. Try again in {in_minutes(wait)}")


async def in_turn(work: Callable[[], T]) -> T:
    """Do what hashes a password in a thread, when it is its turn."""
    return await to_thread.run_sync(work, limiter=_comparing)
