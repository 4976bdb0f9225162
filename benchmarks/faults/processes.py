"""Processes to be attacked: started in some hundredths of a second, stopped, killed, talked to."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path

from tests.waiting import PATIENCE

_CONTEXT = get_context("forkserver")
_SENDING = (
    "benchmarks.faults.sending",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
)
_SERVICES = (
    "benchmarks.faults.services",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.worker.consumer",
    "digest.cli.system",
    "digest.condense.steps",
    "digest.pipeline.letters",
    "digest.pipeline.returns",
    "digest.pipeline.scheduled",
    "kombu.transport.redis",
)


def import_first(*, services: bool) -> None:
    """Say what the server imports that processes are forked from: a run starts up to fifty of them.

    Heard before the first process. With `services`, also what Celery and `digest up` need.
    """
    _CONTEXT.set_forkserver_preload([*_SENDING, *(_SERVICES if services else ())])


import_first(services=False)

Body = Callable[..., None]
"""What a process does: called with what it was given and, last, the connection to who started it."""


class Process:
    """A process in a group of its own, so that its children die with it. What it prints goes to `log`."""

    def __init__(self, body: Body, *given: object, log: Path) -> None:
        self.log = log
        self._talk, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_run, args=(body, given, log, theirs))
        self._process.start()
        theirs.close()
        self.hear()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs."""
        return self._process.exitcode

    def hear(self, *, seconds: float = PATIENCE) -> object:
        """Return what it says next. Raises `TimeoutError` with the end of its log when it says nothing."""
        try:
            if self._talk.poll(seconds):
                return self._talk.recv()
        except (EOFError, ConnectionError) as exc:
            raise TimeoutError(f"process {self.pid} has ended:\n{self.said()}") from exc
        raise TimeoutError(f"process {self.pid} said nothing for {seconds:g} s:\n{self.said()}")

    def tell(self) -> None:
        """Give the word it may be waiting for."""
        self._talk.send(True)

    def said(self) -> str:
        """Return the end of what it has printed."""
        return self.log.read_text("utf-8", "replace")[-3000:] if self.log.exists() else ""

    def kill(self) -> None:
        """End it and its children at once, as `kill -9` does."""
        if self.is_running:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join(PATIENCE)

    def freeze(self) -> None:
        """Stop it where it stands (SIGSTOP)."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        os.killpg(self.pid, signal.SIGCONT)

    def end(self, *, seconds: float = PATIENCE) -> int | None:
        """Ask it to end (SIGTERM), as a deploy does; return its exit code, None when it does not in time."""
        if self.is_running:
            os.kill(self.pid, signal.SIGTERM)
        self._process.join(seconds)
        return self.exit_code


def _run(body: Body, given: tuple[object, ...], log: Path, talk: Connection) -> None:
    os.setsid()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for standard in (sys.stdout, sys.stderr):
        os.dup2(descriptor, standard.fileno())
    talk.send("started")
    body(*given, talk)


def _die_with_parent() -> None:
    """End this group when whoever started it has gone. The server it is forked from outlives both."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.killpg(0, signal.SIGKILL)
