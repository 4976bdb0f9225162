"""Who holds a delivery: a process, named so that its death can be seen from beside it."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that sends. `nonce` tells it from a later one with the same number."""

    host: str
    pid: int
    nonce: str

    @classmethod
    def this_process(cls) -> Owner:
        """Return a new name for the process that asks."""
        return cls(socket.gethostname(), os.getpid(), secrets.token_hex(4))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Read what `str` wrote; None when it is something else."""
        host, _, rest = text.rpartition(":")[0].rpartition(":")
        return cls(host, int(rest), text.rpartition(":")[2]) if host and rest.isdigit() else None

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.nonce}"

    def is_dead(self) -> bool:
        """Whether the process is known to have ended: only one on this host can be."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False
