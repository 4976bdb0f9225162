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
    began = time.monotonic()
    while not happened():
        waited = time.monotonic() - began
        assert waited < seconds, f"waited {seconds:g} s in vain\n{why()}"
        # To look takes processor time from what is waited for: what took long may be seen a twentieth later.
        time.sleep(min(max(0.02, waited / 20), 0.5))
