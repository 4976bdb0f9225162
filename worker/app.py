"""The Celery app: `celery -A worker.app worker`, `celery -A worker.app beat`, or inside `digest up`.

The database is the schedule and the truth. What goes through the broker are hints that something may be
due; a lost one costs the seconds until the next beat, a doubled one nothing.
"""

from __future__ import annotations

from celery import Celery
from celery.signals import worker_ready

from digest.domain.errors import Misconfigured
from digest.settings import load_settings

TICK_SECONDS = 60.0
SWEEP_SECONDS = 5.0
"""A sweep is two indexed questions. It bounds how long an approved issue waits for its first mail."""


def make_app() -> Celery:
    """Return the app as the settings have it. Ends the process with words when they are wrong."""
    try:
        settings = load_settings()
    except Misconfigured as exc:
        raise SystemExit(f"Error: {exc}") from exc
    celery = Celery("digest", broker=settings.broker_url, include=["worker.tasks"])
    celery.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"polling_interval": 0.1} if settings.broker_url == "memory://" else {},
        beat_schedule={
            "tick": {
                "task": "worker.tasks.tick",
                "schedule": TICK_SECONDS,
                "options": {"expires": TICK_SECONDS},
            },
            "sweep": {
                "task": "worker.tasks.sweep",
                "schedule": SWEEP_SECONDS,
                "options": {"expires": SWEEP_SECONDS},
            },
        },
    )
    return celery


app = make_app()


@worker_ready.connect
def look_at_once(**_: object) -> None:
    """Ring on starting: what came due while nobody was here need not wait for the first beat."""
    app.send_task("worker.tasks.tick")
