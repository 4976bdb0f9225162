"""Digest's services around a field, as ops run them: workers under Celery with a beat, or `digest up`."""

from __future__ import annotations

from pathlib import Path

from celery import Celery

from benchmarks.faults import services
from benchmarks.faults.field import SQLITE, Field
from benchmarks.faults.processes import Process
from benchmarks.faults.sending import SECRET
from digest.deliver.owners import Owner
from digest.store.claims import lease_owners
from digest.store.database import reading
from tests.servers.processes import free_port

SESSIONS = 2


class Stack:
    """A worker of two processes, a beat and a Redis; on SQLite, where `embedded`, all in one `digest up`."""

    def __init__(self, field: Field, *, embedded: bool = False) -> None:
        self.field = field
        self.is_embedded = embedded and field.kind == SQLITE
        self.redis = None if self.is_embedded else field.servers.redis
        self._workers: dict[str, Process] = {}

    def environment(self) -> dict[str, str]:
        """Return the settings of every service."""
        return {
            "DIGEST_DATABASE_URL": self.field.url,
            "DIGEST_BROKER_URL": self.redis.url if self.redis else "memory://",
            "DIGEST_MAIL_URL": self.field.sink.url,
            "DIGEST_STATE_DIR": self.field.place.state_dir,
            "DIGEST_MAIL_SESSIONS": str(SESSIONS),
            "DIGEST_SECRET_KEY": SECRET,
            "DIGEST_LOG_LEVEL": "info",
        }

    def worker(self, *, name: str = "worker", forgetful: bool = False) -> Process:
        """Start a worker (or `digest up`), and return when it is ready."""
        if self.is_embedded:
            command = ["up", "--port", str(free_port())]
            process = self.field.start(services.digest, self.environment(), command)
        else:
            body = services.forgetful_worker if forgetful else services.celery
            command = ["worker", "--concurrency=2", "--loglevel=info", f"--hostname={name}@%h"]
            process = self.field.start(body, self.environment(), command)
        self._workers[name] = process
        self.field.wait(lambda: "worker.ready" in log_of(process))
        return process

    def supervise(self) -> None:
        """Start workers anew that ended by themselves, as Compose and systemd do.

        Celery's does when Redis goes within the first hundredths of a second after its start.
        """
        for name, process in tuple(self._workers.items()):
            if not process.is_running:
                self.worker(name=name)

    def beat(self) -> Process:
        """Start a beat, and return when it goes."""
        schedule: Path = self.field.folder / "beat"
        command = ["beat", f"--schedule={schedule}"]
        process = self.field.start(services.celery, self.environment(), command)
        self.field.wait(lambda: "beat.started" in log_of(process))
        return process

    def ring(self, task: str, *arguments: int, task_id: str | None = None, times: int = 1) -> None:
        """Send the workers a message, so many times. `digest up` hears its own beat alone."""
        if self.redis is None:
            return
        with Celery(broker=self.redis.url) as client:
            for _ in range(times):
                client.send_task(f"worker.tasks.{task}", arguments, task_id=task_id)

    def keys(self) -> int:
        """Return how many keys Redis holds."""
        assert self.redis is not None
        with self.redis.client() as client:
            held = client.dbsize()
        assert isinstance(held, int)
        return held


def sending_processes(field: Field) -> set[int]:
    """Return the processes that hold deliveries now."""
    with reading(field.engine) as session:
        owners = [Owner.parse(name) for name in lease_owners(session)]
    return {owner.pid for owner in owners if owner is not None}


def log_of(process: Process) -> str:
    """Return all that a process has printed."""
    return process.log.read_text("utf-8", "replace") if process.log.exists() else ""
