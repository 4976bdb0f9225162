"""What a sweep rings for: whatever could be done now, and nothing that must wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kombu import Connection
from sqlalchemy import update

import worker.tasks
from benchmarks.readers import Size, sending_issue
from digest.deliver.outages import meet_outage
from digest.domain.endpoints import EventKind
from digest.domain.issues import IssueId
from digest.domain.letters import LetterKind
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.announcements import announce
from digest.store.database import writing
from digest.store.deliveries import DeliveryRow
from digest.store.endpoints import add_endpoint
from digest.store.erasure_orders import add_order
from digest.store.letters import queue_letter
from digest.store.newsletters import add_newsletter
from digest.store.subscribers import subscribe
from tests.stored import WEEKLY
from worker.app import app


@pytest.fixture
def runtime(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """The tasks' runtime, on a database of the test's own."""
    found = Runtime(
        Settings(
            database_url=sqlite_url,
            mail_url=f"maildir://{tmp_path / 'outbox'}",
            secret_key="a key for tests that is long enough to be one",  # type: ignore[arg-type]
        )
    )
    monkeypatch.setattr(worker.tasks, "runtime", lambda: found)
    yield found
    found.engine.dispose()


@pytest.fixture
def rung() -> Iterator[Callable[[], list[tuple[str, list[int]]]]]:
    """Return the hints that have been sent since the last look, as the broker holds them."""
    with Connection("memory://") as broker:
        queue = broker.SimpleQueue(app.conf.task_default_queue)

        def take() -> list[tuple[str, list[int]]]:
            found = []
            while queue.qsize():
                message = queue.get(block=False)
                message.ack()
                found.append((message.headers["task"], message.payload[0]))
            return found

        take()
        yield take
        take()


def test_a_sweep_rings_for_an_issue_with_something_due(
    runtime: Runtime, rung: Callable[[], list[tuple[str, list[int]]]]
) -> None:
    issue_id = sending_issue(runtime.engine, Size(readers=3, topics=2, articles=2, follows=1))
    worker.tasks.sweep()
    assert rung() == [("worker.tasks.send", [issue_id])]


def test_a_sweep_rings_for_an_endpoint_that_is_to_be_called_until_it_was_tried(
    runtime: Runtime, rung: Callable[[], list[tuple[str, list[int]]]]
) -> None:
    with writing(runtime.engine) as session:
        now = runtime.clock()
        # Stored as a name that leads inside: nobody is called, and the next try is later.
        add_endpoint(
            session, url="https://localhost/", kinds={EventKind.ISSUE_SENT}, about="", by="Ada", now=now
        )
        announce(session, EventKind.ISSUE_SENT, {"issue": 1}, now=now)
    worker.tasks.sweep()
    assert rung() == [("worker.tasks.call", [])]
    worker.tasks.call()
    worker.tasks.sweep()
    assert rung() == []


def test_a_sweep_rings_for_letters_that_are_due_until_they_are_sent(
    runtime: Runtime, rung: Callable[[], list[tuple[str, list[int]]]], tmp_path: Path
) -> None:
    with writing(runtime.engine) as session:
        newsletter = add_newsletter(session, WEEKLY, now=runtime.clock())
        reader = subscribe(
            session, newsletter.id, email="ada@example.org", follows=(), now=runtime.clock()
        ).subscriber
        queue_letter(session, LetterKind.PREFERENCES, newsletter.id, reader.id, now=runtime.clock())
    worker.tasks.sweep()
    assert rung() == [("worker.tasks.post", [])]
    worker.tasks.post()
    worker.tasks.sweep()
    assert rung() == []
    assert len(list((tmp_path / "outbox" / "new").iterdir())) == 1


@pytest.mark.parametrize("reason", ["deferred", "server away"])
def test_a_sweep_rings_for_nobody_while_all_that_is_left_must_wait(
    reason: str, runtime: Runtime, rung: Callable[[], list[tuple[str, list[int]]]]
) -> None:
    issue_id = sending_issue(runtime.engine, Size(readers=3, topics=2, articles=2, follows=1))
    make_it_wait(runtime, issue_id, reason)
    worker.tasks.sweep()
    assert rung() == []


def make_it_wait(runtime: Runtime, issue_id: IssueId, reason: str) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    if reason == "server away":
        meet_outage(runtime.engine, issue_id, "mail.example.org:25 takes no mail", now=later)
        return
    with writing(runtime.engine) as session:
        session.execute(update(DeliveryRow).values(next_at=later))


def test_a_tick_rings_for_an_erasure_that_was_cut_short_and_waits_for_none(
    runtime: Runtime, rung: Callable[[], list[tuple[str, list[int]]]]
) -> None:
    with writing(runtime.engine) as session:
        ended = runtime.clock() - timedelta(minutes=1)
        add_order(session, "ada@example.org", by="Cy", now=ended, lease_until=ended)
    worker.tasks.tick()
    assert rung() == [("worker.tasks.erase", [])]
    worker.tasks.erase()
    worker.tasks.tick()
    assert rung() == []
