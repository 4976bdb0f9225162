"""Redis forgets, dies and repeats itself: a run still completes, once.

The broker carries hints only, so whatever happens to it costs seconds, never a mail or a second one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from celery import Celery
from sqlalchemy import Engine

from digest.demo.newsletter import SAMPLE, add_sample_newsletter
from digest.demo.newsroom import Newsroom
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.schedules import OccurrenceState
from digest.store.database import open_engine, reading
from digest.store.deliveries import count_deliveries
from digest.store.issues import list_issues
from digest.store.schedules import list_occurrences, list_schedules
from tests.e2e.conftest import MakeStack
from tests.e2e.stack import Stack
from tests.servers.faults import Faults
from tests.servers.redis import RedisServer
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until

READERS = 150
SESSIONS = 2
AT_ONCE = 50
"""Readers whose mail the sink takes at once: then it is slow, and what happens next is within the send."""


@dataclass(frozen=True)
class Press:
    """A stack whose worker and beat are at work, with its database, broker and sink."""

    stack: Stack
    engine: Engine
    redis: RedisServer
    sink: SmtpSink
    newsroom: Newsroom
    due: datetime

    def add_due(self, slug: str = SAMPLE.slug) -> Newsletter:
        """Store a newsletter whose issue is due, for readers who have mails of their own."""
        readers = "".join(f"{slug}.{number}@example.org,climate\n" for number in range(READERS))
        return add_sample_newsletter(
            self.engine,
            self.newsroom.sources[:1],
            now=self.due,
            newsletter=replace(SAMPLE, slug=slug),
            subscribers=f"email,topics\n{readers}",
        )

    def ring(self, task: str, *arguments: int, task_id: str | None = None, times: int = 1) -> None:
        """Send the worker a message, as often as that."""
        with Celery(broker=self.redis.url) as client:
            for _ in range(times):
                client.send_task(f"worker.tasks.{task}", arguments, task_id=task_id)

    def is_sent(self, newsletter: Newsletter) -> bool:
        """Whether the newsletter's one run has led to its one issue, and that is sent."""
        with reading(self.engine) as session:
            (schedule,) = list_schedules(session, newsletter.id)
            runs = list_occurrences(session, schedule.id, limit=10)
            issues = list_issues(session, newsletter.id)
        assert len(runs) <= 1
        assert len(issues) <= 1
        assert not runs or runs[0].state is not OccurrenceState.FAILED, runs[0].note
        return bool(issues) and issues[0].state is IssueState.SENT

    def wait_until_sent(self, newsletter: Newsletter) -> None:
        """Wait for the end of the run, with a sink that is quick from now on."""
        self.sink.faults = Faults()
        wait_until(lambda: self.is_sent(newsletter), seconds=300, why=self.stack.all_logs)

    def assert_one_copy_each(self, newsletter: Newsletter) -> None:
        with reading(self.engine) as session:
            (issue,) = list_issues(session, newsletter.id)
            counts = count_deliveries(session, issue.id)
        assert {state: count for state, count in counts.items() if count} == {DeliveryState.ACCEPTED: READERS}
        copies = {to: n for to, n in self.sink.copies().items() if to.startswith(f"{newsletter.slug}.")}
        assert copies == {f"{newsletter.slug}.{number}@example.org": 1 for number in range(READERS)}


@pytest.fixture
def postgres_url(migrated_postgres_url: str) -> str:
    """The stack's database, made already."""
    return migrated_postgres_url


@pytest.fixture
def press(
    make_stack: MakeStack,
    redis_server: RedisServer,
    postgres_url: str,
    smtp_sink: SmtpSink,
    newsroom: Newsroom,
    due: datetime,
) -> Iterator[Press]:
    stack = make_stack(
        redis_server,
        DIGEST_FETCH_ALLOW=json.dumps([newsroom.host_port]),
        DIGEST_MAIL_SESSIONS=str(SESSIONS),
    )
    engine = open_engine(postgres_url)
    stack.start("beat")
    stack.start("worker")
    wait_until(lambda: "worker.ready" in stack.log("worker"), why=stack.all_logs)
    yield Press(stack, engine, redis_server, smtp_sink, newsroom, due)
    engine.dispose()


def test_a_redis_flushed_again_and_again_costs_nothing(press: Press) -> None:
    press.sink.slow_down(after=AT_ONCE)
    newsletter = press.add_due()
    press.ring("tick")

    def is_in_the_middle() -> bool:
        time.sleep(0.2)
        press.redis.flush()
        return press.sink.count() >= AT_ONCE

    wait_until(is_in_the_middle, seconds=300, why=press.stack.all_logs)
    assert not press.is_sent(newsletter), "the last flush came too late to prove anything"
    press.wait_until_sent(newsletter)
    press.assert_one_copy_each(newsletter)


def test_a_redis_that_dies_and_forgets_all_costs_nothing(press: Press) -> None:
    press.sink.slow_down(after=AT_ONCE)
    first = press.add_due("first")
    press.ring("tick")
    wait_until(lambda: press.sink.count() >= AT_ONCE, seconds=300, why=press.stack.all_logs)
    press.redis.kill()
    assert not press.is_sent(first), "the kill came too late to prove anything"
    press.wait_until_sent(first)
    press.assert_one_copy_each(first)
    wait_until(lambda: "beat.unheard" in press.stack.log("beat"), why=press.stack.all_logs)
    assert "raised unexpected" not in press.stack.log("worker")

    press.redis.start()
    second = press.add_due("second")
    press.ring("tick")
    press.wait_until_sent(second)
    press.assert_one_copy_each(second)
    for name in ("worker", "beat"):
        wait_until(lambda name=name: press.stack.is_healthy(name), why=press.stack.all_logs)


def test_three_beats_and_every_message_ten_times_make_one_run(press: Press) -> None:
    press.sink.slow_down(after=0, seconds=0.03)
    newsletter = press.add_due()
    for number in (2, 3):
        press.stack.start("beat", alias=f"beat-{number}")

    def is_sent() -> bool:
        time.sleep(0.2)
        for name, ids in (("tick", ()), ("advance", (1,)), ("sweep", ()), ("send", (1,))):
            press.ring(name, *ids, task_id=f"the same {name}", times=10)
        return press.is_sent(newsletter)

    wait_until(is_sent, seconds=300, why=press.stack.all_logs)
    press.assert_one_copy_each(newsletter)
    assert "raised unexpected" not in press.stack.log("worker")
