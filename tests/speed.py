"""How fast this machine is right now, for the few tests that bound what a hostile input may cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_COMMON = 0.07
"""CPU seconds that `_work` takes on the machine that the tests' bounds were found on."""


@contextmanager
def costs_at_most(seconds: float) -> Iterator[None]:
    """Assert that the block takes at most so many CPU seconds, and as many more as this machine is slower.

    The speed is taken before and after, and the worse one counts: a neighbour on the same core may come at
    any moment. The bounds tell what grows with the square of its input from what does not.
    """
    before = _slowness()
    began = time.process_time()
    yield
    took = time.process_time() - began
    allowed = seconds * max(1.0, before, _slowness())
    assert took < allowed, f"took {took:.1f} s of the CPU where at most {allowed:.1f} s are right"


def _slowness() -> float:
    began = time.process_time()
    _work()
    return (time.process_time() - began) / _COMMON


def _work() -> int:
    return sum(number * number for number in range(1_000_000))
