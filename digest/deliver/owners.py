"""Who holds a delivery: a process, named so that its death can be seen from beside it."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable
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
        return cls(socket.gethostname(), pid, _state(pid)[1], secrets.token_hex(4))

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
        """Whether the process is known to have ended: only one on this host can be.

        One that has ended stays in the table of processes until its parent asks. In a container that may be
        a first process which never does, and what the dead one held would wait for its lease to run out.
        """
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        state, started = _state(self.pid)
        return state in _ENDED or (0 not in (started, self.started) and started != self.started)


def dead_among(names: Iterable[str]) -> list[str]:
    """Return the owners of these names that are known to have ended."""
    return [name for name in names if (owner := Owner.parse(name)) is not None and owner.is_dead()]


_ENDED = frozenset("ZX")


def _state(pid: int) -> tuple[str, int]:
    """Return the state of a process, a letter, and when it started, in ticks since the machine did (proc(5)).

    "" and 0 where nobody knows.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, IndexError, ValueError):
        return "", 0
