"""Several relays: spread by weight, left out while they are away, and never the same mail by two."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import timedelta

import pytest
import structlog

from digest.deliver.relays import RelaysTransport
from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.standing import LATEST, SOONEST, TELL_AFTER, Relay
from digest.deliver.transport import Arm, Envelope, MailSession, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import DigestError, Refused, Unavailable
from tests.deliver.ways import hold, no, send
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import PATIENCE

ACCEPTED = Outcome(DeliveryState.ACCEPTED, 250, "2.0.0 kept")
WAY_OUT = Unavailable("a:25 takes no mail: Connection refused")


class Told:
    """A relay that does as it is told: what opening raises, and what a message comes to."""

    def __init__(self) -> None:
        self.opening: DigestError | None = None
        self.outcome: Outcome | DigestError = ACCEPTED
        self.opened = 0
        self.sent = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        self.opened += 1
        if self.opening is not None:
            raise self.opening
        yield _ToldSession(self)


class _ToldSession:
    relay = "told"
    is_open = True

    def __init__(self, relay: Told) -> None:
        self._relay = relay

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        if isinstance(self._relay.outcome, DigestError):
            raise self._relay.outcome
        if not await arm():
            raise NotArmed
        self._relay.sent += 1
        return self._relay.outcome


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def a() -> Told:
    return Told()


@pytest.fixture
def b() -> Told:
    return Told()


@pytest.fixture
def both(a: Told, b: Told, clock: Clock) -> RelaysTransport:
    return RelaysTransport([Relay("a", 1, a), Relay("b", 1, b)], clock=clock)


@contextmanager
def logged() -> Iterator[list[str]]:
    with structlog.testing.capture_logs() as lines:
        told: list[str] = []
        yield told
        told.extend(f"{line['event']} {line.get('relay', '')}" for line in lines)


def spread(transport: RelaysTransport, conversations: int) -> Counter[str]:
    """Hold so many conversations at once; return by whose."""

    async def talk() -> Counter[str]:
        async with AsyncExitStack() as stack:
            sessions = [await stack.enter_async_context(transport.session()) for _ in range(conversations)]
            return Counter(session.relay for session in sessions)

    return asyncio.run(talk())


def test_conversations_are_spread_by_weight(a: Told, b: Told) -> None:
    transport = RelaysTransport([Relay("a", 3, a), Relay("b", 1, b)])
    assert spread(transport, 20) == {"a": 15, "b": 5}


def test_one_conversation_after_the_other_is_spread_by_weight_too(a: Told, b: Told) -> None:
    transport = RelaysTransport([Relay("a", 3, a), Relay("b", 1, b)])
    for _ in range(20):
        spread(transport, 1)
    assert (a.opened, b.opened) == (15, 5)


def test_a_relay_that_cannot_be_opened_gives_its_share_to_the_others(
    both: RelaysTransport, a: Told, b: Told
) -> None:
    a.opening = WAY_OUT
    assert spread(both, 10) == {"b": 10}
    assert a.opened == 1


def test_a_spare_is_for_when_no_other_is_there(a: Told, b: Told, clock: Clock) -> None:
    transport = RelaysTransport([Relay("a", 0, a), Relay("b", 1, b)], clock=clock)
    assert spread(transport, 5) == {"b": 5}
    b.opening = WAY_OUT
    assert spread(transport, 5) == {"a": 5}
    b.opening = None
    clock.now += SOONEST
    assert send(transport).text == "2.0.0 kept [b]"
    assert spread(transport, 5) == {"b": 5}


def test_a_relay_is_left_out_for_longer_each_time_and_tried_by_one_alone(
    both: RelaysTransport, a: Told, clock: Clock
) -> None:
    a.opening = WAY_OUT
    waits = []
    for _ in range(10):
        opened, began = a.opened, clock.now
        while a.opened == opened:
            assert clock.now - began < 2 * LATEST
            spread(both, 5)
            clock.now += 1
        assert a.opened == opened + 1
        waits.append(clock.now - 1 - began)
    assert waits[1:4] == [pytest.approx(wait, abs=2) for wait in (SOONEST, 2 * SOONEST, 4 * SOONEST)]
    assert waits[-1] == pytest.approx(LATEST, abs=2)


def test_a_relay_that_is_back_is_trusted_once_it_has_taken_a_mail(
    both: RelaysTransport, a: Told, b: Told, clock: Clock
) -> None:
    a.opening = WAY_OUT
    spread(both, 4)
    a.opening = None
    clock.now += SOONEST
    assert spread(both, 6) == {"a": 1, "b": 5}
    assert {send(both).text for _ in range(4)} == {"2.0.0 kept [a]", "2.0.0 kept [b]"}
    assert spread(both, 6) == {"a": 3, "b": 3}


def test_when_none_takes_mail_the_words_of_each_are_told(both: RelaysTransport, a: Told, b: Told) -> None:
    a.opening, b.opening = WAY_OUT, Refused("b:25 refused the log-in: 535 no. Check mail_url.")
    with pytest.raises(Unavailable) as raised:
        send(both)
    assert str(raised.value) == (
        "none of 2 mail servers takes mail: a:25 takes no mail: Connection refused; "
        "b:25 refused the log-in: 535 no. Check mail_url"
    )
    a.opening = b.opening
    with pytest.raises(Unavailable):
        send(both)


def test_when_all_refuse_us_that_is_a_refusal(both: RelaysTransport, a: Told, b: Told) -> None:
    a.opening = b.opening = Refused("it refused the log-in")
    with pytest.raises(Refused):
        send(both)


def test_when_all_are_away_one_is_tried_every_few_seconds_however_long_it_was(
    both: RelaysTransport, a: Told, b: Told, clock: Clock
) -> None:
    a.opening = b.opening = WAY_OUT
    for _ in range(200):
        with pytest.raises(Unavailable):
            send(both)
        clock.now += SOONEST
    a.opening = None
    opened = a.opened, b.opened
    for _ in range(2):
        clock.now += SOONEST
        try:
            assert send(both).text == "2.0.0 kept [a]"
            break
        except Unavailable:
            continue
    else:
        pytest.fail(f"a was not tried: {opened} before, {a.opened, b.opened} now")


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(DeliveryState.PENDING, 421, "4.7.0 go away"),
        Outcome(DeliveryState.PENDING, 530, "5.7.0 log in first"),
        Outcome(DeliveryState.PENDING, 452, "4.3.1 disk full"),
        Outcome(DeliveryState.UNKNOWN, None, "no answer after the dot"),
        Unavailable("the conversation broke before the dot"),
    ],
)
def test_a_relay_that_fails_at_several_mails_in_a_row_is_left_out(
    both: RelaysTransport, a: Told, b: Told, outcome: Outcome | DigestError
) -> None:
    a.outcome = b.outcome = outcome

    async def work(session: MailSession) -> int:
        sent = 0
        while session.is_open and sent < 10:
            sent += 1
            with suppress(Unavailable):
                await session.send(Envelope("b@example.org", "anna@example.org"), b"", _yes)
        return sent

    assert hold(both, work) == 3
    b.outcome = ACCEPTED
    assert spread(both, 4) == {"b": 4}


async def _yes() -> bool:
    return True


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(DeliveryState.FAILED, 550, "5.1.1 no such user"),
        Outcome(DeliveryState.PENDING, 451, "4.7.1 greylisted"),
        Outcome(DeliveryState.PENDING, 421, "4.7.0 enough", timedelta(0)),
        Unavailable("it hung up between two", retry_after=timedelta(0)),
    ],
)
def test_what_is_a_readers_or_a_receivers_or_an_end_in_order_leaves_no_relay_out(
    both: RelaysTransport, a: Told, b: Told, outcome: Outcome | DigestError
) -> None:
    a.outcome = b.outcome = outcome
    for _ in range(10):
        with suppress(Unavailable):
            send(both)
    assert spread(both, 4) == {"a": 2, "b": 2}


def test_a_database_that_is_away_is_no_fault_of_a_relay(both: RelaysTransport) -> None:
    async def broken() -> bool:
        raise Unavailable("the database is away")

    for _ in range(10):
        with pytest.raises(Unavailable, match="the database"):
            send(both, arm=broken)
    assert spread(both, 4) == {"a": 2, "b": 2}


def test_what_a_provider_calls_a_mail_is_kept_as_it_is(both: RelaysTransport, a: Told, b: Told) -> None:
    a.outcome = b.outcome = Outcome(DeliveryState.ACCEPTED, 200, "postmark:b7bc2f4a-1")
    assert send(both).text == "postmark:b7bc2f4a-1"


def test_ops_are_told_once_of_a_relay_that_stays_away_and_of_its_return(
    both: RelaysTransport, a: Told, clock: Clock
) -> None:
    a.opening = WAY_OUT
    with logged() as told:
        for _ in range(100):
            spread(both, 2)
            found = both.absences()
            assert bool(found) is (clock.now == 1000.0 + TELL_AFTER)
            if found:
                assert found[0].in_words == (
                    "a has taken no mail for 5 minutes: a:25 takes no mail: Connection refused."
                )
                assert "digest doctor" in found[0].advice
            clock.now += 10
        a.opening = None
        clock.now += LATEST
        for _ in range(2):
            send(both)
    assert told == ["relay.left_out a", "relay.away a", "relay.back a"]


def test_a_relay_that_only_restarts_is_told_to_nobody(both: RelaysTransport, a: Told, clock: Clock) -> None:
    a.opening = WAY_OUT
    spread(both, 2)
    clock.now += TELL_AFTER - 1
    assert both.absences() == ()


def test_conversations_that_failed_together_count_as_one_failure(a: Told, b: Told, clock: Clock) -> None:
    a.opening = WAY_OUT
    transport = RelaysTransport([Relay("a", 1, _AllAtOnce(a, 10)), Relay("b", 1, b)], clock=clock)

    async def talk() -> None:
        async with AsyncExitStack() as stack:
            await asyncio.gather(*(stack.enter_async_context(transport.session()) for _ in range(20)))

    asyncio.run(talk())
    assert a.opened == 10
    clock.now += SOONEST
    a.opening = None
    assert spread(transport, 2) == {"a": 1, "b": 1}


class _AllAtOnce:
    """Has so many conversations wait for each other at first, and then opens them."""

    def __init__(self, relay: Told, count: int) -> None:
        self._relay = relay
        self._left = count
        self._all_here = asyncio.Event()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        self._left -= 1
        if self._left == 0:
            self._all_here.set()
        await self._all_here.wait()
        async with self._relay.session() as session:
            yield session


def smtp(sink: SmtpSink, name: str, *, timeout: float = PATIENCE) -> Relay:
    server = SmtpServer(sink.host, sink.port, start_tls=False, timeout=timeout)
    return Relay(name, 1, SmtpTransport(server))


@pytest.fixture
def sinks() -> Iterator[tuple[SmtpSink, SmtpSink]]:
    with SmtpSink() as first, SmtpSink() as second:
        yield first, second


def test_a_mail_whose_answer_is_lost_goes_to_no_other_relay(sinks: tuple[SmtpSink, SmtpSink]) -> None:
    transport = RelaysTransport([smtp(sinks[0], "a"), smtp(sinks[1], "b")])
    outcome = send(transport, "drop-after-dot@example.org")
    assert outcome.state is DeliveryState.UNKNOWN
    assert outcome.text.endswith("[a]")
    assert sinks[0].count() + sinks[1].count() == 1


def test_a_mail_that_was_not_armed_is_at_none(sinks: tuple[SmtpSink, SmtpSink]) -> None:
    transport = RelaysTransport([smtp(sinks[0], "a"), smtp(sinks[1], "b")])
    for _ in range(2):
        with pytest.raises(NotArmed):
            send(transport, arm=no)
    assert sinks[0].count() + sinks[1].count() == 0


def test_a_server_that_goes_away_in_the_middle_has_its_mail_sent_by_the_other(
    sinks: tuple[SmtpSink, SmtpSink],
) -> None:
    transport = RelaysTransport([smtp(sinks[0], "a"), smtp(sinks[1], "b")])
    first, second = send(transport, "1@example.org"), send(transport, "2@example.org")
    assert (first.text[-3:], second.text[-3:]) == ("[a]", "[b]")
    sinks[0].refuse_connections()
    outcomes = [send(transport, f"{number}@example.org") for number in range(3, 6)]
    assert {outcome.text[-3:] for outcome in outcomes} == {"[b]"}
    assert (sinks[0].count(), sinks[1].count()) == (1, 4)
