"""A sending issue, a server that answers as a test says, and time that passes only while somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select, update

from benchmarks.readers import Address, Size, plain_address, sending_issue
from digest.deliver.steps import Pace, send_issue
from digest.deliver.throttle.caps import Throttle, WarmUp, read_caps
from digest.deliver.transport import Arm, Envelope, MailSession, NotArmed
from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.issues import IssueId
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow, count_deliveries

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
ACCEPTED = Outcome(DeliveryState.ACCEPTED, 250, "2.0.0 ok")
TOO_FAST = Outcome(DeliveryState.PENDING, 421, "4.7.0 try again later, closing connection")
UNWANTED = Outcome(DeliveryState.PENDING, 550, "5.7.1 our policy keeps you out")

Answers = Callable[[str], Outcome]


class Time:
    """A clock that moves when it is slept on.

    With one conversation that is all there is of time. Several may sleep while another waits for the
    database, and then an hour passes in no time: such a test can only say what must not happen too early.
    """

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        then = self.now + timedelta(seconds=max(0.001, seconds))  # a datetime has no room for less than 1 µs
        await asyncio.sleep(0)
        self.now = max(self.now, then)


class Server:
    """Takes mail in without a network, and remembers when and for whom it armed what."""

    def __init__(self, time: Time, answers: Answers = lambda _: ACCEPTED) -> None:
        self.time = time
        self.answers = answers
        self.armed: list[tuple[datetime, str]] = []
        self.asked = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        yield Conversation(self)

    @property
    def readers(self) -> list[str]:
        return [reader for _, reader in self.armed]


class Conversation:
    """A conversation that lasts, with the relay that the tests' caps know."""

    relay = "mx.example.org"
    is_open = True

    def __init__(self, server: Server) -> None:
        self._server = server

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        self._server.asked += 1
        outcome = self._server.answers(envelope.recipient)
        if outcome.state is not DeliveryState.ACCEPTED:
            return outcome
        if not await arm():
            raise NotArmed
        self._server.armed.append((self._server.time(), envelope.recipient))
        return outcome


def throttled(*caps: str, warm_up: WarmUp | None = None) -> Throttle:
    return Throttle(read_caps(caps), warm_up, ("mx.example.org",))


def at_domains(*domains: str) -> Address:
    """Return addresses that go through these domains in turn."""
    return lambda n: f"reader{n}@{domains[n % len(domains)]}"


def issue_due(
    engine: Engine, readers: int, *, now: datetime = NOW, address: Address = plain_address
) -> IssueId:
    """Store an issue addressed at `now` to so many readers."""
    issue_id = sending_issue(engine, Size(readers, topics=2, articles=2, follows=1), address=address)
    with writing(engine) as session:
        session.execute(update(DeliveryRow).values(next_at=now, created_at=now))
    return issue_id


def mail_for(claim: Claim) -> tuple[Envelope, bytes]:
    return Envelope("bounces@example.org", claim.email), b"Subject: x\r\n\r\nx\r\n"


def send(
    engine: Engine,
    issue_id: IssueId,
    server: Server,
    throttle: Throttle,
    *,
    sessions: int = 1,
    batch: int = 50,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    asyncio.run(
        send_issue(
            engine,
            issue_id,
            transport=server,
            mail_for=mail_for,
            owner="tester:0:0",
            clock=server.time,
            pace=Pace(sessions=sessions, batch=batch),
            throttle=throttle,
            should_stop=should_stop,
            sleep=server.time.sleep,
        )
    )


def counts(engine: Engine, issue_id: IssueId) -> dict[DeliveryState, int]:
    with reading(engine) as session:
        return {state: count for state, count in count_deliveries(session, issue_id).items() if count}


def due_times(engine: Engine, domain: str) -> list[datetime]:
    """When the pending deliveries to a domain are due."""
    with reading(engine) as session:
        rows = session.execute(
            select(DeliveryRow.email, DeliveryRow.next_at).where(DeliveryRow.state == "pending")
        )
        return sorted(next_at for email, next_at in rows if email.endswith(f"@{domain}"))
