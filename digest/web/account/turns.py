"""Work with passwords, a few at a time, beside the threads that pages need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

T = TypeVar("T")

_comparing = CapacityLimiter(2)
"""Each takes 64 MiB and a processor. Who comes in crowds waits here, and only they."""


async def in_turn(work: Callable[[], T]) -> T:
    """Do what hashes a password in a thread, when it is its turn."""
    return await to_thread.run_sync(work, limiter=_comparing)
