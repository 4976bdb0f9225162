"""`celery -A worker.app worker` and `beat` as processes on a real Redis."""

from __future__ import annotations

import json
import pickle
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from benchmarks.readers import Size, approved_issue, plain_address
from digest.domain.deliveries import DeliveryState
from digest.store.database import open_engine, reading
from digest.store.deliveries import count_deliveries
from tests.servers.faults import Faults
from tests.servers.processes import ServerProcess
from tests.servers.redis import RedisServer
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until
from tests.worker.conftest import Launch

WORKER = ("celery", "-A", "worker.app", "worker", "--concurrency=2")
BEAT = ("celery", "-A", "worker.app", "beat")
READERS = 400


def log_of(process: ServerProcess) -> str:
    return process.output.read_text("utf-8")


def is_object(line: str) -> bool:
    """Whether a line of the log is whole: the last one may still be on its way to the file."""
    return line.startswith("{") and line.endswith("}")


def wait_for_log(process: ServerProcess, words: str) -> None:
    wait_until(lambda: words in log_of(process), why=lambda: log_of(process))


def wait_for_end(process: ServerProcess) -> None:
    wait_until(lambda: not process.is_running, why=lambda: log_of(process))


@pytest.fixture
def ready_worker(
    launch: Launch, migrated_postgres_url: str, redis_url: str, smtp_sink: SmtpSink
) -> ServerProcess:
    worker = launch(
        WORKER,
        database_url=migrated_postgres_url,
        broker_url=redis_url,
        mail_url=smtp_sink.url,
        mail_sessions="4",
        log_format="json",
    )
    wait_for_log(worker, "worker.ready")
    return worker


# --- starting


@pytest.mark.parametrize("command", [WORKER, BEAT])
def test_a_wrong_setting_ends_it_in_words(launch: Launch, command: tuple[str, ...]) -> None:
    process = launch(command, brokr_url="redis://127.0.0.1/0")
    wait_for_end(process)
    assert process.exit_code == 1
    told = log_of(process)
    assert "Error: environment: DIGEST_BROKR_URL is not a setting; did you mean 'DIGEST_BROKER_URL'?" in told
    assert "Traceback" not in told


def test_a_worker_that_nobody_could_ring_ends_in_words(launch: Launch) -> None:
    process = launch(WORKER)
    wait_for_end(process)
    assert process.exit_code == 1
    assert "broker_url is memory://, which only 'digest up' can use" in log_of(process)
    assert "Traceback" not in log_of(process)


def test_worker_and_beat_wait_for_a_redis_that_is_not_there_yet(
    launch: Launch, migrated_postgres_url: str
) -> None:
    redis = RedisServer()
    try:
        processes = [
            launch(command, database_url=migrated_postgres_url, broker_url=redis.url)
            for command in (WORKER, BEAT)
        ]
        for process in processes:
            wait_for_log(process, "Connection refused")
        redis.start()
        wait_for_log(processes[0], "worker.ready")
        assert all(process.is_running for process in processes)
        loaded = Path(f"/proc/{processes[0].pid}/maps").read_text()
        for library in ("numpy", "psycopg"):
            assert library in loaded, "each process of the pool would load and hold its own"
    finally:
        redis.close()


# --- what comes through the broker


class Bomb:
    """Unpickling this makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.file), "w")


@pytest.fixture
def client(redis_url: str) -> Iterator[Celery]:
    with Celery(broker=redis_url) as client:
        yield client


def test_a_pickled_message_is_refused_and_the_next_one_is_heard(
    ready_worker: ServerProcess, client: Celery, tmp_path: Path
) -> None:
    bomb = Bomb(tmp_path / "exploded")
    pickle.dumps(bomb)  # it would go through
    with (
        client.connection_for_write() as connection,
        connection.SimpleQueue("celery", serializer="pickle") as queue,
    ):
        queue.put(bomb, headers={"task": "worker.tasks.tick", "id": "1"})
    client.send_task("worker.tasks.advance", ("no number",))
    wait_for_log(ready_worker, "no number")
    wait_for_log(ready_worker, "ContentDisallowed")
    assert not bomb.file.exists()
    assert ready_worker.is_running


def test_a_fault_is_logged_with_its_traceback_and_the_worker_goes_on(
    ready_worker: ServerProcess, client: Celery
) -> None:
    for word in ("first", "second"):
        client.send_task("worker.tasks.advance", (word,))

    def told() -> list[dict[str, str]]:
        lines = [json.loads(line) for line in log_of(ready_worker).splitlines() if is_object(line)]
        return [line for line in lines if "Traceback" in line.get("exception", "")]

    wait_until(lambda: len(told()) >= 2, why=lambda: log_of(ready_worker))
    ready_worker.end(signal.SIGTERM)
    assert len(told()) == 2
    assert all(re.search(r"advance\[.+\] raised unexpected", line["event"]) for line in told())


def test_an_expected_error_is_told_in_words(launch: Launch, postgres_url: str, redis_url: str) -> None:
    """Nobody has migrated the database: ops need the sentence, not where in the code it was found."""
    worker = launch(WORKER, database_url=postgres_url, broker_url=redis_url)
    wait_for_log(worker, "task.failed")
    worker.end(signal.SIGTERM)
    assert "run 'digest" in log_of(worker)
    assert "Traceback" not in log_of(worker)


# --- stopping


def test_a_deploy_in_the_middle_of_a_send_leaves_nothing_unknown(
    ready_worker: ServerProcess,
    launch: Launch,
    client: Celery,
    migrated_postgres_url: str,
    redis_url: str,
    smtp_sink: SmtpSink,
) -> None:
    smtp_sink.slow_down(after=READERS // 8)
    engine = open_engine(migrated_postgres_url)
    issue_id = approved_issue(engine, Size(READERS))
    client.send_task("worker.tasks.sweep")
    smtp_sink.wait_for(READERS // 8)
    ready_worker.end(signal.SIGTERM)
    assert ready_worker.exit_code == 0, log_of(ready_worker)

    with reading(engine) as session:
        counts = count_deliveries(session, issue_id)
    sent = smtp_sink.count()
    assert READERS // 8 <= sent < READERS
    assert counts[DeliveryState.ACCEPTED] == sent
    assert counts[DeliveryState.PENDING] == READERS - sent

    smtp_sink.faults = Faults()
    launch(WORKER, database_url=migrated_postgres_url, broker_url=redis_url, mail_url=smtp_sink.url)
    smtp_sink.wait_for(READERS)
    assert smtp_sink.copies() == {plain_address(number): 1 for number in range(READERS)}
    engine.dispose()
