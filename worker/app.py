"""The Celery app: `celery -A worker.app worker`, `celery -A worker.app beat`, or inside `digest up`.

The database is the schedule and the truth. What goes through the broker are hints that something may be
due; a lost one costs the seconds until the next beat, a doubled one nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import (
    beat_init,
    celeryd_init,
    setup_logging,
    task_failure,
    worker_ready,
    worker_shutting_down,
)

from digest.domain.errors import DigestError, Misconfigured, Refused, Unavailable
from digest.logs import set_up_logs
from digest.settings import Settings, load_settings
from digest.telemetry.faults import tell_fault
from digest.telemetry.spans import span
from worker.stopping import stopping

log = structlog.get_logger(__name__)

IN_PROCESS = "memory://"
TICK_SECONDS = 60.0
SWEEP_SECONDS = 2.0
"""A sweep is a few indexed questions. It bounds how long an approved issue waits for its first mail."""

DRAFT_SECONDS = 300.0
"""A draft is chosen from all articles of its days, some tenths of a second each: often enough for a week."""

MAILBOX_SECONDS = 60.0
LOOK_UP_SECONDS = 60.0
LOOK_AHEAD_SECONDS = 20.0
CLICKS_SECONDS = 30.0
PURGE_SECONDS = 3_600.0
"""Each kind is purged once a day; a purge that ran out of its minute goes on an hour later."""

_SHARED = ("digest.condense.extractive", "digest.gather.stories.grouping", "psycopg")
"""What only work needs that most processes never do: numpy by way of the first two, and a driver."""

HINT_SECONDS = 60.0
"""When a hint is stale, so that they do not pile up while no worker is there. Two clocks are compared: with
less than this between them, hints arrive."""


class ToldTask(Task):  # type: ignore[misc]
    """A task that tells how long it took."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do it."""
        with span(self.name, task=self.name):
            return super().__call__(*args, **kwargs)


def make_app(settings: Settings) -> Celery:
    """Return the app as the settings have it."""
    # Kombu warns of an address without a host, which the broker in this process has no use for.
    broker = f"{IN_PROCESS}localhost" if settings.broker_url == IN_PROCESS else settings.broker_url
    celery = Celery("digest", broker=broker, include=["worker.tasks"], task_cls=ToldTask)
    celery.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        # Expected errors are told in words, see below; only a fault in Digest leaves a traceback.
        task_annotations={"*": {"throws": (DigestError,)}},
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # Concerns late acknowledgement, which no task of ours asks for; unset, every reconnect warns of it.
        worker_cancel_long_running_tasks_on_connection_loss=True,
        broker_transport_options={"polling_interval": 0.1} if settings.broker_url == IN_PROCESS else {},
        beat_scheduler="worker.beat:Scheduler",
        beat_enable_remote_control=True,
        beat_schedule={
            "tick": {
                "task": "worker.tasks.tick",
                "schedule": TICK_SECONDS,
                "options": {"expires": HINT_SECONDS},
            },
            "sweep": {
                "task": "worker.tasks.sweep",
                "schedule": SWEEP_SECONDS,
                "options": {"expires": HINT_SECONDS},
            },
            "draft": {
                "task": "worker.tasks.draft",
                "schedule": DRAFT_SECONDS,
                "options": {"expires": DRAFT_SECONDS},
            },
            "look-up": {
                "task": "worker.tasks.look_up",
                "schedule": LOOK_UP_SECONDS,
                "options": {"expires": LOOK_UP_SECONDS},
            },
            "look-ahead": {
                "task": "worker.tasks.look_ahead",
                "schedule": LOOK_AHEAD_SECONDS,
                "options": {"expires": LOOK_AHEAD_SECONDS},
            },
            "count-clicks": {
                "task": "worker.tasks.count_clicks",
                "schedule": CLICKS_SECONDS,
                "options": {"expires": CLICKS_SECONDS},
            },
            "purge": {
                "task": "worker.tasks.purge",
                "schedule": PURGE_SECONDS,
                "options": {"expires": PURGE_SECONDS},
            },
            **_returns(settings),
        },
    )
    return celery


def _returns(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the beat of the mailbox that bounces come to, where the settings name one."""
    if not settings.bounce_mailbox_url:
        return {}
    # Each look expires before the next is due: a mailbox that is slow is never looked at by all workers.
    options = {"expires": MAILBOX_SECONDS}
    return {"returns": {"task": "worker.tasks.read_returns", "schedule": MAILBOX_SECONDS, "options": options}}


def read_settings() -> Settings:
    """Return the settings; ends the process with words when they are wrong."""
    try:
        return load_settings()
    except Misconfigured as exc:
        raise SystemExit(f"Error: {exc}") from exc


_settings = read_settings()
app = make_app(_settings)


@setup_logging.connect
def log_as_everywhere(**_: object) -> None:
    """Log in Digest's own form, in the main process, the beat and the pool alike."""
    set_up_logs(level=_settings.log_level, as_json=_settings.log_format == "json")


@celeryd_init.connect
def refuse_to_be_alone(**_: object) -> None:
    """End a worker of its own that nobody could ring. The one inside `digest up` does not come by here."""
    if _settings.broker_url == IN_PROCESS:
        raise SystemExit(
            f"Error: broker_url is {IN_PROCESS}, which only 'digest up' can use: it rings its own worker. "
            "Set DIGEST_BROKER_URL to redis://:PASSWORD@HOST:6379/0"
        )


@celeryd_init.connect
def load_what_all_share(**_: object) -> None:
    """Import before the fork what each of the pool's processes would else import for itself, and hold."""
    for name in _SHARED if _settings.database_url.startswith("postgresql") else _SHARED[:-1]:
        import_module(name)


@worker_ready.connect
def look_at_once(**_: object) -> None:
    """Ring on starting: what came due while nobody was here need not wait for the first beat."""
    stopping.clear()
    log.info("worker.ready")
    for name in ("tick", "sweep"):
        app.send_task(f"worker.tasks.{name}", expires=HINT_SECONDS)


@worker_shutting_down.connect
def finish_soon(**_: object) -> None:
    """Have sends under way finish their messages and give back the rest."""
    log.info("worker.stopping")
    stopping.set()


@task_failure.connect
def tell_in_words(sender: Task, exception: Exception, args: tuple[object, ...], **_: object) -> None:
    """Say what stopped a task. The next beat rings again for whatever is still due."""
    if not isinstance(exception, DigestError):
        # Celery logs it with its traceback.
        tell_fault(exception, task=sender.name)
        return
    told = {"task": sender.name, "arguments": args, "reason": str(exception)}
    if sender.name in ("worker.tasks.send", "worker.tasks.post") and isinstance(
        exception, (Unavailable, Refused)
    ):
        # At every try while the mail server is away, which `mail.away` tells once an hour. When it is
        # the database that is away, the sweep fails as well.
        log.warning("task.failed", **told)
    else:
        log.error("task.failed", **told)


@beat_init.connect
def say_hello(**_: object) -> None:
    """Tell the log that the beat goes."""
    log.info("beat.started")
