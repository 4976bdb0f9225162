"""Waiting for what a test is about to assert, for as long as a slow and busy machine may take."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds. Far longer than anything takes: it ends only tests that would fail anyhow."""


def wait_until(
    happened: Callable[[], bool], *, seconds: float = PATIENCE, why: Callable[[], str] = lambda: ""
) -> None:
    """Wait for something to be so; fail with what `why` tells when it does not become so in time."""
    give_up = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up, f"waited {seconds:g} s in vain\n{why()}"
        time.sleep(0.02)
