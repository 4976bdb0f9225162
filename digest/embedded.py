"""The worker and the beat inside this process, on Celery's in-memory broker: no server to install.

What dies with the process are hints; the next start finds in the database what is due.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from celery.app.utils import find_app
from celery.beat import Scheduler, Service

WORKER_APP = "worker.app"
"""Named, not imported: the worker stands above this module."""


@contextmanager
def embedded_worker(*, concurrency: int = 2) -> Iterator[None]:
    """Run worker and beat in threads of this process until the context is left."""
    app = find_app(WORKER_APP)
    app.set_default()
    worker = app.WorkController(
        pool_cls="threads",
        concurrency=concurrency,
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
    )
    beat = Service(app, scheduler_cls=Scheduler, max_interval=1)
    threads = [
        threading.Thread(target=worker.start, name="digest-worker", daemon=True),
        threading.Thread(target=beat.start, name="digest-beat", daemon=True),
    ]
    for thread in threads:
        thread.start()
    # What came due while nobody was here need not wait for the first beat.
    app.send_task("worker.tasks.tick")
    try:
        yield
    finally:
        beat.stop()
        worker.stop()
        for thread in threads:
            thread.join(timeout=60)
