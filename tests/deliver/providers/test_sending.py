"""A whole issue through a provider: every reader once, and no claim burnt by what is our fault or theirs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from benchmarks.readers import Size, sending_issue
from digest.deliver.providers import open_provider
from digest.deliver.steps import Pace, send_issue
from digest.deliver.transport import Envelope
from digest.domain.deliveries import Claim, DeliveryState
from digest.domain.errors import Refused, Unavailable
from digest.domain.issues import IssueId
from digest.store.database import open_engine, reading
from digest.store.deliveries import DeliveryRow
from tests.deliver.ways import RETURN_PATH, mail_to
from tests.servers.provider_dialects import Postmark, Ses
from tests.servers.provider_server import (
    Call,
    ProviderServer,
    status,
    takes,
    takes_and_hangs_up,
    takes_and_sends,
)
from tests.waiting import PATIENCE

READERS = 60


@pytest.fixture(params=[Ses, Postmark], ids=lambda dialect: dialect.scheme)
def server(request: pytest.FixtureRequest) -> Iterator[ProviderServer]:
    """Give one that takes MIME and one that takes JSON: the course of a send is the same for all."""
    with ProviderServer(request.param()) as found:
        yield found


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    found = open_engine(sqlite_url)
    yield found
    found.dispose()


@pytest.fixture
def issue_id(engine: Engine) -> IssueId:
    return sending_issue(engine, Size(readers=READERS, topics=4, articles=8, follows=2))


def mail_for(claim: Claim) -> tuple[Envelope, bytes]:
    return Envelope(RETURN_PATH, claim.email), mail_to(claim.email)


def send(engine: Engine, issue_id: IssueId, server: ProviderServer) -> None:
    transport = open_provider(server.mail_url, SecretStr(server.dialect.key), timeout=PATIENCE)
    asyncio.run(
        send_issue(
            engine,
            issue_id,
            transport=transport,
            mail_for=mail_for,
            owner="tester:0:0",
            clock=lambda: datetime.now(UTC),
            pace=Pace(sessions=6, batch=20),
        )
    )


def states(engine: Engine) -> Counter[tuple[str, int]]:
    """How many deliveries are in which state after how many attempts."""
    with reading(engine) as session:
        rows = session.execute(select(DeliveryRow.state, DeliveryRow.attempts)).all()
    return Counter((str(row.state), row.attempts) for row in rows)


def test_every_reader_gets_the_issue_once_and_it_is_kept_under_which_name(
    engine: Engine, issue_id: IssueId, server: ProviderServer
) -> None:
    send(engine, issue_id, server)
    assert states(engine) == {(DeliveryState.ACCEPTED, 1): READERS}
    assert set(Counter(taken.recipient for taken in server.taken).values()) == {1}
    with reading(engine) as session:
        texts = set(session.scalars(select(DeliveryRow.smtp_text)))
    assert len(texts) == READERS
    assert all(text.startswith(f"{server.dialect.scheme}:") for text in texts)


def test_a_provider_that_is_busy_again_and_again_costs_time_alone(
    engine: Engine, issue_id: IssueId, server: ProviderServer
) -> None:
    def busy_every_third_time(call: Call) -> None:
        (status(429, Retry_After="0.02") if len(server.posts) % 3 == 0 else takes)(call)

    server.will(busy_every_third_time)
    send(engine, issue_id, server)
    assert states(engine) == {(DeliveryState.ACCEPTED, 1): READERS}
    assert set(Counter(taken.recipient for taken in server.taken).values()) == {1}
    assert len(server.posts) > READERS


def test_a_key_that_is_wrong_from_the_start_burns_no_attempt(
    engine: Engine, issue_id: IssueId, server: ProviderServer
) -> None:
    server.greets(status(402, "unpaid"))
    with pytest.raises(Refused, match="wants to be paid"):
        send(engine, issue_id, server)
    assert states(engine) == {(DeliveryState.PENDING, 0): READERS}


def test_a_sender_who_is_not_allowed_costs_those_under_way_one_attempt_and_fails_nobody(
    engine: Engine, issue_id: IssueId, server: ProviderServer
) -> None:
    server.will(status(403, "not your domain"))
    with pytest.raises(Refused, match="not your domain"):
        send(engine, issue_id, server)
    found = states(engine)
    assert set(found) == {(DeliveryState.PENDING, 0), (DeliveryState.PENDING, 1)}
    assert found[(DeliveryState.PENDING, 1)] <= 6
    assert server.taken == []


@pytest.mark.usefixtures("no_pauses")
def test_a_provider_that_breaks_down_is_left_alone_with_what_was_not_tried(
    engine: Engine, issue_id: IssueId
) -> None:
    with ProviderServer(Postmark()) as server:
        server.will(*[takes] * 20, status(503, "down", Retry_After="600"))
        with pytest.raises(Unavailable, match="503"):
            send(engine, issue_id, server)
    found = states(engine)
    assert found[(DeliveryState.ACCEPTED, 1)] == 20
    assert found[(DeliveryState.PENDING, 1)] <= 6
    assert sum(found.values()) == READERS
    assert {state for state, _ in found} == {DeliveryState.ACCEPTED, DeliveryState.PENDING}


@pytest.mark.usefixtures("no_pauses")
def test_a_gateway_that_is_out_of_order_does_not_make_the_whole_issue_unknown(
    engine: Engine, issue_id: IssueId
) -> None:
    with ProviderServer(Ses()) as server:
        server.will(takes_and_sends(b"bad gateway", 502))
        with pytest.raises(Unavailable, match="502"):
            send(engine, issue_id, server)
    found = states(engine)
    assert found[(DeliveryState.UNKNOWN, 1)] == len(server.taken) <= 12
    assert found[(DeliveryState.PENDING, 0)] == READERS - len(server.taken)


def test_answers_that_are_lost_leave_exactly_those_unknown_and_nobody_has_two(
    engine: Engine, issue_id: IssueId, server: ProviderServer
) -> None:
    def loses_every_tenth(call: Call) -> None:
        (takes_and_hangs_up if len(server.posts) % 10 == 0 else takes)(call)

    server.will(loses_every_tenth)
    send(engine, issue_id, server)
    found = states(engine)
    assert found[(DeliveryState.UNKNOWN, 1)] + found[(DeliveryState.ACCEPTED, 1)] == READERS
    assert 1 <= found[(DeliveryState.UNKNOWN, 1)] <= READERS // 5
    send(engine, issue_id, server)
    assert set(Counter(taken.recipient for taken in server.taken).values()) == {1}
    assert len(server.taken) == READERS
