"""Digest's own services as processes, by their own commands: Celery's worker and beat, `digest up`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection

from digest.cli.main import main as digest_main

_FORGETFUL = {"visibility_timeout": 1, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}
"""The broker looks every second for what was not acknowledged; by default it does every hundred."""


def celery(environment: Mapping[str, str], arguments: Sequence[str], talk: Connection) -> None:
    """Run `celery -A worker.app` with these arguments."""
    os.environ.update(environment)
    from worker.app import app

    talk.close()
    app.start(list(arguments))


def forgetful_worker(environment: Mapping[str, str], arguments: Sequence[str], talk: Connection) -> None:
    """Run a Celery worker whose broker hands a task out again while it is still being done.

    That takes late acknowledgement, which Digest does not ask for, and the shortest visibility timeout. It
    prints the id of every task that it begins.
    """
    os.environ.update(environment)
    from celery.signals import task_prerun

    from worker.app import app

    def tell(task_id: str, **_: object) -> None:
        os.write(sys.stdout.fileno(), f"began {task_id}\n".encode())

    task_prerun.connect(tell, weak=False)

    app.conf.task_acks_late = True
    app.conf.broker_transport_options = _FORGETFUL
    talk.close()
    app.start(list(arguments))


def digest(environment: Mapping[str, str], arguments: Sequence[str], talk: Connection) -> None:
    """Run `digest` with these arguments."""
    os.environ.update(environment)
    talk.close()
    sys.argv = ["digest", *arguments]
    digest_main()
