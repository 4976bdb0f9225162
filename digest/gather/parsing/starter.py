"""What starts parser processes: the forkserver of this process, and how long it is kept."""

from __future__ import annotations

import atexit
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen
from threading import Lock, Timer

from digest.gather.parsing.child import LENGTH
from digest.gather.parsing.forkserver import WANTED

KEPT_SECONDS = 30.0
"""How long a forkserver that nobody uses is kept for the next who does: with its 130 MB."""

_MODULE = "digest.gather.parsing.forkserver"


class Starter:
    """Starts processes that were prepared alike. Any thread may use it.

    It starts a forkserver for the first process, and another should that one die. Each `hold` has its
    `release`: what nobody holds is ended `KEPT_SECONDS` later.
    """

    def __init__(self, command: tuple[str, ...], environment: dict[str, str], prepare: bytes) -> None:
        self._command, self._environment, self._prepare = command, environment, prepare
        self._lock = Lock()
        self._holders = 0
        self._server: Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._end: Timer | None = None

    def hold(self) -> None:
        """Keep what is there until `release`."""
        with self._lock:
            self._holders += 1
            if self._end:
                self._end.cancel()

    def release(self) -> None:
        """Take back a `hold`."""
        with self._lock:
            self._holders -= 1
            if self._holders == 0 and self._server:
                self._end = Timer(KEPT_SECONDS, self._end_if_unused)
                self._end.daemon = True
                self._end.start()

    def start(
        self,
        talk: socket.socket,
        words: socket.socket,
        control: socket.socket,
        *,
        memory_mb: int,
        seconds: float,
    ) -> None:
        """Ask for a process with these sockets, see `forkserver`. Raises `OSError` when there can be none.

        That the process is ready is its own to say: over `talk`. What keeps the forkserver from starting is
        in `words`.
        """
        wanted, sockets = WANTED.pack(memory_mb, seconds), [each.fileno() for each in (talk, words, control)]
        with self._lock:
            if self._requests:
                with suppress(ConnectionError):
                    socket.send_fds(self._requests, [wanted], sockets)
                    return
                self._close()
            with suppress(ConnectionError):  # why it ended is told through `words`
                socket.send_fds(self._open(words), [wanted], sockets)

    def close(self) -> None:
        """End the forkserver, and with it all that it forked."""
        with self._lock:
            self._close()

    def forget(self) -> None:
        """Have no part in it any longer: after a fork of this process it is the other's."""
        if self._requests:
            self._requests.close()
        self._server = self._requests = None

    def _open(self, words: socket.socket) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = Popen(  # noqa: S603 (our own program)
                list(self._command),
                stdin=theirs.fileno(),
                stdout=DEVNULL,
                stderr=words.fileno(),
                cwd="/",
                env=self._environment,
            )
        self._requests = ours
        ours.sendall(LENGTH.pack(len(self._prepare)) + self._prepare)
        return ours

    def _end_if_unused(self) -> None:
        with self._lock:
            if self._holders == 0:
                self._close()

    def _close(self) -> None:
        if self._server:
            self._server.kill()
            self._server.wait()
        if self._requests:
            self._requests.close()
        self._server = self._requests = None


_starters: dict[tuple[object, ...], Starter] = {}


def starter(prepare: bytes) -> Starter:
    """Return what starts processes that have called `prepare`, the same one every time."""
    command, environment = (sys.executable, "-P", "-s", "-m", _MODULE), _environment()
    key = command, tuple(environment.items()), prepare
    return _starters.setdefault(key, Starter(command, environment, prepare))


@atexit.register
def close_all() -> None:
    """End every forkserver of this process now."""
    for each in _starters.values():
        each.close()


def _forget_all() -> None:
    for each in _starters.values():
        each.forget()
    _starters.clear()


os.register_at_fork(after_in_child=_forget_all)


def _environment() -> dict[str, str]:
    """Return what a forkserver has: where to import from, and nothing of ours that could be a secret.

    One thread for the linear algebra that a language guess needs: more would each reserve memory, and a
    process with threads is not to be forked.
    """
    folders = [str(Path(folder).absolute()) for folder in sys.path]
    return {"PYTHONPATH": os.pathsep.join(folders), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
