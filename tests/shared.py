"""What one of pytest-xdist's workers makes for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest


def made_once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a file that `make` has written, whichever worker came first. It is to be copied, not changed."""
    base = folders.getbasetemp()
    file = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with file.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not file.exists():
            unfinished = file.with_suffix(".unfinished")
            make(unfinished)
            unfinished.rename(file)
    return file
