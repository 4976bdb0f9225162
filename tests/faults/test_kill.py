"""`kill -9` in the middle of a send: no reader gets the issue twice, none is lost.

With real commands, on each kind of installation; `test_registry` has the single faults, and the controls.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from benchmarks.readers import Size, approved_issue, plain_address
from digest.domain.deliveries import UNFINISHED, DeliveryState
from digest.domain.issues import IssueId
from digest.store.database import open_engine, reading
from digest.store.deliveries import count_deliveries
from tests.faults.workers import BIN, ROOT, Worker
from tests.servers.faults import Faults
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until

READERS = 5_000
KILLS_AT = (300, 1_200, 3_000)
SESSIONS = 20


@dataclass(frozen=True, slots=True)
class Field:
    """Where a send is attacked: the database, the sink, the worker, and the settings they share."""

    engine: Engine
    sink: SmtpSink
    log: Path
    worker: Worker
    environment: dict[str, str]

    def digest(self, *arguments: str) -> str:
        """Run a command as ops would, and return what it said."""
        done = subprocess.run(
            [str(BIN / "digest"), *arguments],
            cwd=ROOT,
            env={**self.environment},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(params=["sqlite", "postgresql and redis"])
def field(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Field]:
    """Give a field of each kind: the embedded worker on SQLite, prefork workers on PostgreSQL and Redis."""
    embedded = request.param == "sqlite"
    log = tmp_path / "sink.jsonl"
    with ExitStack() as stack:
        sink = stack.enter_context(SmtpSink(log=log, keep_content=False))
        environment = {
            **os.environ,
            "DIGEST_DATABASE_URL": request.getfixturevalue(
                "sqlite_url" if embedded else "migrated_postgres_url"
            ),
            "DIGEST_BROKER_URL": "memory://" if embedded else request.getfixturevalue("redis_url"),
            "DIGEST_MAIL_URL": sink.url,
            "DIGEST_MAIL_SESSIONS": str(SESSIONS),
            "DIGEST_SECRET_KEY": "a key for tests that is long enough to be one",
            "DIGEST_LOG_LEVEL": "info",
        }
        engine = open_engine(environment["DIGEST_DATABASE_URL"])
        stack.callback(engine.dispose)
        if embedded:
            command = ["digest", "up", "--port", str(free_port())]
        else:
            beat = ["celery", "-A", "worker.app", "beat", "--schedule", str(tmp_path / "beat")]
            stack.enter_context(Worker(beat, environment, tmp_path / "beat.log"))
            command = ["celery", "-A", "worker.app", "worker", "--concurrency=2", "--loglevel=warning"]
        worker = Worker(command, environment, tmp_path / "worker.log")
        stack.callback(worker.kill)
        yield Field(engine, sink, log, worker, environment)


def counts(engine: Engine, issue_id: IssueId) -> dict[DeliveryState, int]:
    with reading(engine) as session:
        return dict(count_deliveries(session, issue_id))


def is_settled(engine: Engine, issue_id: IssueId) -> bool:
    found = counts(engine, issue_id)
    return sum(found.values()) == READERS and not any(found[state] for state in UNFINISHED)


def test_kill_9_in_a_send_of_5000_duplicates_nothing_and_loses_nothing(field: Field) -> None:
    issue_id = approved_issue(field.engine, Size(READERS))
    field.worker.start()
    for target in KILLS_AT:
        field.sink.slow_down(after=target)
        field.sink.wait_for(target, seconds=300)
        field.worker.kill()
        assert field.sink.count() < READERS, "the kill came too late to prove anything"
        field.sink.faults = Faults()
        field.worker.start()
    wait_until(lambda: is_settled(field.engine, issue_id), seconds=300, why=field.worker.log)
    field.worker.stop()

    found = counts(field.engine, issue_id)
    unknown = found[DeliveryState.UNKNOWN]
    assert unknown <= len(KILLS_AT) * SESSIONS * 2, "more unknown than conversations were in the dot"
    assert found[DeliveryState.ACCEPTED] == READERS - unknown
    assert max(field.sink.copies().values()) == 1
    if unknown:
        field.digest("issue", "reconcile", str(issue_id), "--log", str(field.log), "--complete")
        if counts(field.engine, issue_id)[DeliveryState.PENDING]:
            field.digest("send", str(issue_id))
    assert counts(field.engine, issue_id)[DeliveryState.ACCEPTED] == READERS
    assert field.sink.copies() == {plain_address(n): 1 for n in range(READERS)}
