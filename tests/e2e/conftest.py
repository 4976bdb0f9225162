from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from digest.demo.newsletter import SAMPLE
from digest.demo.newsroom import Newsroom
from digest.domain.times import zone
from digest.runtime import utc_now
from tests.e2e.stack import Stack
from tests.servers.postgres import PostgresServer
from tests.servers.redis import PASSWORD, RedisServer
from tests.servers.smtp_sink import SmtpSink

MakeStack = Callable[..., Stack]


@pytest.fixture
def due() -> datetime:
    """When the newsroom is of this week, and an issue due: one moment, though midnight may pass meanwhile."""
    return utc_now()


@pytest.fixture
def newsroom(due: datetime) -> Iterator[Newsroom]:
    """The sample newsroom as of `due`, in the sample newsletter's zone."""
    with Newsroom.start(now=due, zone=zone(SAMPLE.timezone)) as newsroom:
        yield newsroom


@pytest.fixture
def make_stack(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str, smtp_sink: SmtpSink
) -> Iterator[MakeStack]:
    """Make the stack of the Compose file on real servers; what it started ends with the test."""
    made: list[Stack] = []

    def make(redis: RedisServer, **environment: str) -> Stack:
        stack = Stack(
            tmp_path,
            hosts={
                "postgres:5432/digest": f"127.0.0.1:{postgres_server.port}/{postgres_url.rpartition('/')[2]}",
                "redis:6379": f"127.0.0.1:{redis.port}",
                "mailpit:1025": f"127.0.0.1:{smtp_sink.port}",
            },
            redis_password=PASSWORD,
            environment=environment,
        )
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.stop()
