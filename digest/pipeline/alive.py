"""A worker's signs of life, kept in the database: pages and metrics tell by them whether anybody works."""

from __future__ import annotations

import os
import socket
import time
from datetime import timedelta

from digest.runtime import Runtime
from digest.store.database import writing
from digest.store.heartbeats import note_heartbeat

EVERY_SECONDS = 15.0
"""Between two of one process: a commit each, however often it is rung."""

SILENT_AFTER = timedelta(minutes=2)
"""A process that was not heard of for longer is taken for gone. A task lasts a minute at most."""

_noted: dict[str, float] = {}


def note_alive(runtime: Runtime) -> None:
    """Note that this process works, unless it did so just now."""
    process = f"{socket.gethostname()}:{os.getpid()}"
    if time.monotonic() - _noted.get(process, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    with writing(runtime.engine) as session:
        note_heartbeat(session, process, now=runtime.clock())
    _noted[process] = time.monotonic()
