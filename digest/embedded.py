"""The worker and the beat inside this process, on Celery's in-memory broker: no server to install.

What dies with the process are hints; the next start finds in the database what is due.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
from celery import Celery, signals
from celery.app.utils import find_app
from celery.beat import Service
from celery.exceptions import OperationalError
from celery.worker import state

from digest.domain.errors import Unavailable

log = structlog.get_logger(__name__)

WORKER_APP = "worker.app"
"""Named, not imported: the worker stands above this module."""

BEAT_LOOP = 0.2
"""Seconds the beat sleeps at most, and so how long it may take to notice that it is to stop."""

START_SECONDS = 30.0
STOP_SECONDS = 60.0
"""The longest task is shorter."""
TELL_SECONDS = 15.0
"""After so long, the log says what an end waits for."""
_CALLS = 6


@contextmanager
def embedded_worker(*, concurrency: int = 2) -> Iterator[None]:
    """Run worker and beat in threads of this process until the main thread leaves the context.

    Leaving it lets sends under way finish the messages they are at. Raises `Unavailable` when worker or
    beat cannot start, and on leaving when one of them ended unasked: the main thread is then interrupted
    as by Ctrl-C, so that no process goes on that serves pages and sends nothing.
    """
    app = find_app(WORKER_APP)
    app.set_default()
    ready = threading.Event()
    worker = _worker(app, ready, concurrency)
    beat = Service(app, scheduler_cls=app.conf.beat_scheduler, max_interval=BEAT_LOOP, remote_control=False)
    parts = [_Part("worker", worker.start), _Part("beat", beat.start)]
    try:
        for part in parts:
            part.start()
        if not ready.wait(START_SECONDS):
            raise Unavailable(f"the worker in this process did not start within {START_SECONDS:.0f} s")
        yield
    except KeyboardInterrupt:
        if not any(part.has_failed for part in parts):
            raise
    finally:
        for part in parts:
            part.may_end = True
        _stop(app, worker, beat)
        _await_end([part for part in parts if part.ident is not None])
    for part in parts:
        if part.has_failed:
            raise Unavailable(
                f"the {part.name} in this process ended by itself (the log says why), so nothing more would "
                "have been sent: start again. What was due is kept in the database"
            )


def _worker(app: Celery, ready: threading.Event, concurrency: int) -> Any:
    def on_ready(consumer: object) -> None:
        # Celery's own command tells this to those who listen; a bare worker does not.
        signals.worker_ready.send(sender=consumer)
        ready.set()

    state.should_stop = None
    return app.WorkController(
        pool_cls="threads",
        concurrency=concurrency,
        ready_callback=on_ready,
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
    )


def _stop(app: Celery, worker: Any, beat: Service) -> None:
    """Ask both to end, as a SIGTERM does: the worker's own thread takes it down."""
    beat.stop()
    signals.worker_shutting_down.send(sender=worker.hostname, sig="SIGTERM", how="Warm", exitcode=0)
    state.should_stop = 0
    # It waits for messages two seconds at a time, and once more after noticing. Any message wakes it.
    with suppress(OperationalError):  # a broker that is away wakes nobody: then it takes those seconds
        for _ in range(2):
            app.control.broadcast("ping", destination=[worker.hostname])


def _await_end(parts: Sequence[_Part]) -> None:
    """Wait until all have ended. One that does not in time is left behind, and with it this process.

    Nothing is lost by that, no more than by kill -9: what is due stands in the database. Without it Ctrl-C
    would end nothing, as Python waits for the threads of a pool however long they take.
    """
    _join(parts, TELL_SECONDS)
    if any(part.is_alive() for part in parts):
        log.warning("embedded.waiting", for_tasks=_tasks(), at=_stacks())
    _join(parts, STOP_SECONDS - TELL_SECONDS)
    if any(part.is_alive() for part in parts):
        log.critical("embedded.left_behind", for_tasks=_tasks(), at=_stacks())
        os._exit(1)


def _join(parts: Sequence[_Part], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for part in parts:
        part.join(max(0.0, deadline - time.monotonic()))


def _tasks() -> list[str]:
    return sorted(request.name for request in tuple(state.active_requests))


def _stacks() -> dict[str, str]:
    """Return where each other thread is, innermost call first."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        names.get(ident, str(ident)): " < ".join(
            f"{Path(call.filename).stem}.{call.name}:{call.lineno}"
            for call in reversed(traceback.extract_stack(frame)[-_CALLS:])
        )
        for ident, frame in sys._current_frames().items()
        if ident != threading.get_ident()
    }


class _Part(threading.Thread):
    """Worker or beat. When it ends before it `may_end`, it has failed and the main thread is interrupted."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self.may_end = False
        self.has_failed = False

    def run(self) -> None:
        try:
            self._work()
        except Exception as exc:  # whatever it was, the process must not go on without this part
            log.critical("embedded.crashed", part=self.name, exc_info=exc)
        if not self.may_end:
            self.has_failed = True
            # Not _thread.interrupt_main: that waits until the main thread wakes by itself.
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGINT)
