from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.servers.processes import ServerProcess

BIN = Path(sys.executable).parent
Launch = Callable[..., ServerProcess]


def environment(**settings: str) -> dict[str, str]:
    """What a process needs to find our programs, and these settings."""
    given = {f"DIGEST_{name.upper()}": value for name, value in settings.items()}
    return {
        "PATH": f"{BIN}{os.pathsep}{os.defpath}",
        "PYTHONUNBUFFERED": "1",
        "DIGEST_SECRET_KEY": "a key for tests that is long enough to be one",
        **given,
    }


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start a command in `tmp_path`, logging to a file beside it; what still runs ends with the test."""
    started: list[ServerProcess] = []

    def start(command: Sequence[str], **settings: str) -> ServerProcess:
        process = ServerProcess(
            ["env", f"--chdir={tmp_path}", *command],
            output=tmp_path / f"{len(started)}.log",
            environment=environment(**settings),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.end(signal.SIGKILL)
