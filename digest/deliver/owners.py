"""Who holds a delivery: a process, named so that its death can be seen from beside it."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that sends.

    `started` tells it from a later process of the same number: in a restarted container the new worker
    often has the old one's. `nonce` tells apart several owners in one process.
    """

    host: str
    pid: int
    started: int
    nonce: str

    @classmethod
    def this_process(cls) -> Owner:
        """Return a new name for the process that asks."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, _started(pid) or 0, secrets.token_hex(4))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Read what `str` wrote; None when it is something else."""
        parts = text.rsplit(":", 3)
        if len(parts) != 4 or not (parts[1].isdigit() and parts[2].isdigit()):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]), parts[3])

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.started}:{self.nonce}"

    def is_dead(self) -> bool:
        """Whether the process is known to have ended: only one on this host can be."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        now = _started(self.pid)
        return now is not None and self.started not in (0, now)


def _started(pid: int) -> int | None:
    """Return when a process started, in ticks since the machine did (proc(5)); None where nobody knows."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return int(fields[19])
    except (OSError, IndexError, ValueError):
        return None
