"""Where a send is attacked: a database, a mail server that keeps count, and processes that can be killed."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Self

from sqlalchemy import select

from benchmarks.faults.processes import Body, Process
from benchmarks.faults.rig import SOUND, Rig
from benchmarks.faults.sending import Place, mail
from benchmarks.readers import Address, Size, approved_issue, plain_address
from digest.address.steps import address_issue
from digest.domain.deliveries import UNFINISHED, DeliveryState
from digest.domain.issues import IssueId, IssueState
from digest.runtime import utc_now
from digest.store.database import open_engine, reading, writing
from digest.store.deliveries import DeliveryRow, count_deliveries
from digest.store.issues import change_issue
from digest.store.schema import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)

RECOVERY = 120.0
"""Seconds after which an issue that is not settled counts as stuck."""


class Servers:
    """The servers that all runs share, each started when it is first asked for, and a migrated database.

    PostgreSQL writes to disk here: one that does not would forget commits when it is stopped at once, and
    that is not the fault to be looked at. Servers that are given are not stopped at the end.
    """

    def __init__(self, *, postgres: PostgresServer | None = None, redis: RedisServer | None = None) -> None:
        self.folder = Path(mkdtemp(prefix="digest-faults-"))
        self._postgres = postgres
        self._redis = redis
        self._templates: dict[str, str] = {}
        self._closing = ExitStack()
        self._closing.callback(shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def postgres(self) -> PostgresServer:
        """A running PostgreSQL."""
        if self._postgres is None:
            self._postgres = PostgresServer(durable=True)
            self._closing.callback(self._postgres.close)
            self._postgres.start()
        return self._postgres

    @property
    def redis(self) -> RedisServer:
        """A running, empty Redis."""
        if self._redis is None:
            self._redis = RedisServer()
            self._closing.callback(self._redis.close)
        if not self._redis.is_running:
            self._redis.start()
        self._redis.flush()
        return self._redis

    def new_database(self, kind: str, folder: Path) -> str:
        """Return the address of an empty database with the newest schema."""
        if kind not in self._templates:
            self._templates[kind] = self._make_template(kind)
        if kind == SQLITE:
            return f"sqlite:///{shutil.copy(self._templates[kind], folder / 'digest.db')}"
        return self.postgres.url(self.postgres.create_database(template=self._templates[kind]))

    def _make_template(self, kind: str) -> str:
        file = self.folder / "template.db"
        name = str(file) if kind == SQLITE else self.postgres.create_database()
        engine = open_engine(f"sqlite:///{file}" if kind == SQLITE else self.postgres.url(name))
        migrate(engine)
        engine.dispose()
        return name

    def close(self) -> None:
        """Stop what was started here."""
        if self._postgres is not None and POSTGRESQL in self._templates:
            self._postgres.drop_database(self._templates[POSTGRESQL])
        self._closing.close()


class Worker(Process):
    """A process that sends what is due, and its name as an owner of deliveries."""

    def __init__(self, place: Place, rig: Rig, *, log: Path) -> None:
        super().__init__(mail, place, rig, log=log)
        self.rig = rig
        self.owner = str(self.hear())


class Field:
    """One run of one fault: what it needs, what it did, and what did not hold.

    A context manager; nothing that it started is left at its end.
    """

    def __init__(self, servers: Servers, kind: str, seed: int) -> None:
        self.servers = servers
        self.kind = kind
        self.seed = seed
        self.random = random.Random(seed)
        self.folder = Path(mkdtemp(prefix="run-", dir=servers.folder))
        self.sink = SmtpSink(log=self.log_file, keep_content=False)
        self.issue_id = IssueId(0)
        self.killed: list[str] = []
        self.kills = 0
        self.recovery_s = 0.0
        self.broken: list[str] = []
        self.processes: list[Process] = []
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        self._closing.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.url = self.servers.new_database(self.kind, self.folder)
        if self.kind == POSTGRESQL:
            self._closing.callback(self.servers.postgres.drop_database, self.url.rpartition("/")[2])
        self.engine = open_engine(self.url)
        self._closing.callback(self.engine.dispose)
        self.sink.start()
        self._closing.callback(self.sink.stop)
        self._closing.callback(self._end_processes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def _end_processes(self) -> None:
        for process in self.processes:
            process.kill()

    @property
    def log_file(self) -> Path:
        """Where the sink writes what it takes."""
        return self.folder / "sink.jsonl"

    @property
    def place(self) -> Place:
        """Where processes work."""
        return Place(self.url, self.sink.url, str(self.folder / "state"))

    def must(self, holds: bool, words: str) -> None:
        """Take note of what did not hold."""
        if not holds:
            self.broken.append(words)

    # --- what is sent

    def approve(self, readers: int, *, address: Address = plain_address) -> None:
        """Store readers and the issue for them, approved."""
        size = Size(readers, topics=4, articles=8, follows=2)
        self.issue_id = approved_issue(self.engine, size, address=address)

    def issue(self, readers: int, *, address: Address = plain_address) -> None:
        """Store readers and the issue for them, addressed to all."""
        self.approve(readers, address=address)
        address_issue(self.engine, self.issue_id, now=utc_now())

    def change(self, to: IssueState) -> None:
        """Move the issue to another state, as an editor would."""
        with writing(self.engine) as session:
            change_issue(session, self.issue_id, to, now=utc_now())

    # --- who sends it

    def start(self, body: Body, *given: object) -> Process:
        """Start a process."""
        return self._kept(Process(body, *given, log=self._next_log()))

    def worker(self, rig: Rig = SOUND) -> Worker:
        """Start a worker."""
        worker = Worker(self.place, rig, log=self._next_log())
        self._kept(worker)
        return worker

    def _kept(self, process: Process) -> Process:
        self.processes.append(process)
        return process

    def _next_log(self) -> Path:
        return self.folder / f"{len(self.processes)}.log"

    def kill(self, process: Process) -> None:
        """SIGKILL a process, and note who is gone."""
        process.kill()
        self.kills += 1
        if isinstance(process, Worker):
            self.killed.append(process.owner)

    def freeze(self, process: Process) -> None:
        """SIGSTOP a process."""
        process.freeze()
        self.kills += 1

    def said(self) -> str:
        """Return the ends of all logs, for when something does not come to pass."""
        return "\n".join(f"--- {process.log.name}\n{process.said()}" for process in self.processes)

    # --- how it stands

    def counts(self) -> dict[DeliveryState, int]:
        """Return how many deliveries are in each state."""
        with reading(self.engine) as session:
            return dict(count_deliveries(session, self.issue_id))

    def ids_in(self, *states: DeliveryState, owners: Sequence[str] | None = None) -> frozenset[str]:
        """Return the Message-IDs of deliveries in these states, of these owners alone if some are given."""
        asked = select(DeliveryRow.message_id).where(
            DeliveryRow.issue_id == self.issue_id, DeliveryRow.state.in_(states)
        )
        if owners is not None:
            asked = asked.where(DeliveryRow.owner.in_(list(owners)))
        with reading(self.engine) as session:
            return frozenset(session.scalars(asked))

    def left_by_the_dead(self) -> int:
        """Return how many deliveries the killed had armed and not settled, whoever has seen it since."""
        states = (DeliveryState.SENDING, DeliveryState.UNKNOWN)
        return len(self.ids_in(*states, owners=self.killed))

    def is_settled(self) -> bool:
        """Whether nothing of the issue is left to be sent or being sent."""
        counts = self.counts()
        return bool(sum(counts.values())) and not any(counts[state] for state in UNFINISHED)

    def wait(self, happened: Callable[[], bool], *, seconds: float = RECOVERY) -> None:
        """Wait until something is so. Raises `AssertionError` with how everything stands if it never is."""
        wait_until(happened, seconds=seconds, why=lambda: f"{self.counts()}\n{self.said()}")

    def wait_for_mails(self, count: int) -> None:
        """Wait until so many mails are at the server, or the send has ended."""
        self.wait(lambda: self.sink.count() >= count or self.is_settled())

    def wait_until_settled(self, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait for the end of the send, and note how long that took from now."""
        since = time.monotonic()

        def is_settled() -> bool:
            meanwhile()
            return self.is_settled()

        self.wait(is_settled)
        self.recovery_s = max(self.recovery_s, time.monotonic() - since)

    def recover(self, *, ahead: timedelta = timedelta(0)) -> None:
        """Have a sound worker send what is left, with a clock so far ahead that back-offs are over."""
        since = time.monotonic()
        worker = self.worker(Rig(ahead=ahead, sessions=8))
        self.wait(self.is_settled)
        self.recovery_s = max(self.recovery_s, time.monotonic() - since)
        self.must(worker.end() == 0, f"a worker ended badly: {worker.said()}")
