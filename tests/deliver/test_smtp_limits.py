"""How long a conversation lasts, how large a mail may be, and a server that says 421 wherever it likes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from digest.deliver.smtp import Limits, SmtpServer, SmtpTransport
from digest.deliver.smtp.limits import IDLE_SECONDS, USUAL, Lasting, largest
from digest.deliver.transport import Arm, Envelope, MailSession
from digest.domain.deliveries import DeliveryState, Outcome, is_hard_bounce
from digest.domain.errors import Unavailable
from tests.servers.faults import Faults, MostMails
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import PATIENCE

MESSAGE = b"Message-ID: <1@example.org>\r\nSubject: a test\r\n\r\nHello.\r\n"
AT_ONCE = timedelta(0)
HUNDRED = Limits(100, 60.0)
LARGE = MESSAGE + b"More of it.\r\n" * 100


async def yes() -> bool:
    return True


def transport(sink: SmtpSink, limits: Limits = USUAL) -> SmtpTransport:
    server = SmtpServer(sink.host, sink.port, timeout=PATIENCE, start_tls=False)
    return SmtpTransport(server, limits=limits)


async def one(session: MailSession, recipient: str, message: bytes = MESSAGE, arm: Arm = yes) -> Outcome:
    return await session.send(Envelope("bounces@example.org", recipient), message, arm)


def conversations(way: SmtpTransport, recipients: list[str]) -> list[Outcome]:
    """Send to each recipient in turn, in as many conversations as it takes."""

    async def hold() -> list[Outcome]:
        found: list[Outcome] = []
        while len(found) < len(recipients):
            async with way.session() as session:
                found.append(await one(session, recipients[len(found)]))
                while session.is_open and len(found) < len(recipients):
                    found.append(await one(session, recipients[len(found)]))
        return found

    return asyncio.run(hold())


def readers(count: int) -> list[str]:
    return [f"{number}@example.org" for number in range(count)]


def test_a_conversation_ends_in_good_order_after_so_many_messages(smtp_sink: SmtpSink) -> None:
    outcomes = conversations(transport(smtp_sink, Limits(messages=2)), readers(5))
    assert {outcome.state for outcome in outcomes} == {DeliveryState.ACCEPTED}
    assert smtp_sink.connections == 3
    assert smtp_sink.commands.count("QUIT") == 3


def test_a_conversation_ends_after_so_much_time(smtp_sink: SmtpSink) -> None:
    conversations(transport(smtp_sink, Limits(seconds=0.0)), readers(3))
    assert smtp_sink.connections == 3


def test_a_server_that_says_how_many_messages_it_takes_is_heeded() -> None:
    with SmtpSink(extensions=("PIPELINING", "LIMITS RCPTMAX=100 MAILMAX=2")) as sink:
        conversations(transport(sink), readers(4))
        assert (sink.connections, sink.count()) == (2, 4)


def lasting(offers: dict[str, str], now: list[float], limits: Limits = HUNDRED) -> Lasting:
    return Lasting(limits, offers, clock=lambda: now[0])


def test_conversations_that_began_together_do_not_all_end_together() -> None:
    lasted = set()
    for _ in range(50):
        this, count = lasting({}, [0.0]), 0
        while not this.is_over:
            this.count()
            count += 1
        lasted.add(count)
    assert min(lasted) >= 80
    assert max(lasted) <= 100
    assert len(lasted) > 5


def test_an_idle_conversation_is_not_gone_on_with() -> None:
    now = [0.0]
    this = lasting({}, now)
    now[0] = IDLE_SECONDS - 1
    assert not this.is_over
    this.heard()
    now[0] += IDLE_SECONDS - 1
    assert not this.is_over
    now[0] += 1
    assert this.is_over


@pytest.mark.parametrize(
    "said", ["", "MAILMAX", "MAILMAX=", "MAILMAX=0", "MAILMAX=-1", "RCPTMAX=1", "MAILMAX=1x"]
)
def test_a_limit_that_says_nothing_is_none(said: str) -> None:
    this = lasting({"LIMITS": said}, [0.0])
    for _ in range(50):
        this.count()
    assert not this.is_over


@pytest.mark.parametrize(
    "fault",
    [
        MostMails(2),
        MostMails(2, 452, "4.5.3 Too many recipients"),
        MostMails(2, 450, "4.7.1 too many messages, slow down"),
        MostMails(2, 0),
    ],
)
def test_a_server_that_has_had_enough_delays_nobody(smtp_sink: SmtpSink, fault: MostMails) -> None:
    """The message it no longer wanted goes in the next conversation, at once."""
    smtp_sink.faults = Faults(on_connection=lambda _: fault)
    put_off: list[timedelta | None] = []

    async def three(session: MailSession) -> None:
        for reader in readers(2):
            assert (await one(session, reader)).state is DeliveryState.ACCEPTED
        try:
            outcome = await one(session, "2@example.org")
        except Unavailable as exc:
            put_off.append(exc.retry_after)
        else:
            assert (outcome.state, outcome.code) == (DeliveryState.PENDING, fault.code)
            put_off.append(outcome.retry_in)
        assert not session.is_open

    async def hold() -> None:
        async with transport(smtp_sink).session() as session:
            await three(session)

    asyncio.run(hold())
    assert put_off == [AT_ONCE]


def test_a_server_that_takes_no_message_at_all_is_tried_again_later(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults = Faults(on_connection=lambda _: MostMails(0))
    (outcome,) = conversations(transport(smtp_sink), readers(1))
    assert (outcome.state, outcome.code, outcome.retry_in) == (DeliveryState.PENDING, 421, None)


@pytest.mark.parametrize("where", ["defer", "data", "in-body", "after-dot"])
def test_421_refuses_wherever_it_comes_and_ends_the_conversation(smtp_sink: SmtpSink, where: str) -> None:
    async def hold() -> tuple[Outcome, bool]:
        async with transport(smtp_sink).session() as session:
            await one(session, "anna@example.org")
            long = MESSAGE + b"A line of the mail.\r\n" * 1000
            outcome = await one(session, f"{where}-421-4.3.2@example.org", long)
            return outcome, session.is_open

    outcome, is_open = asyncio.run(hold())
    assert (outcome.state, outcome.code, outcome.retry_in) == (DeliveryState.PENDING, 421, None)
    assert outcome.text.startswith("4.3.")
    assert not is_open
    assert not is_hard_bounce(outcome)
    assert smtp_sink.copies() == {"anna@example.org": 1}


def test_what_a_server_says_before_the_dot_is_heard_before_the_arm(smtp_sink: SmtpSink) -> None:
    armed: list[bool] = []

    async def arm() -> bool:
        armed.append(True)
        return True

    async def hold() -> Outcome:
        async with transport(smtp_sink).session() as session:
            long = MESSAGE + b"A line of the mail.\r\n" * 500_000
            return await one(session, "in-body-552@example.org", long, arm)

    outcome = asyncio.run(hold())
    assert (outcome.state, outcome.code) == (DeliveryState.FAILED, 552)
    assert armed == []


def test_the_size_that_is_told_is_the_size_of_the_mail_without_its_dot(smtp_sink: SmtpSink) -> None:
    conversations(transport(smtp_sink), ["anna@example.org"])
    (mail,) = smtp_sink.messages()
    assert f"MAIL FROM:<bounces@example.org> SIZE={len(MESSAGE)}" in smtp_sink.commands
    assert mail.octets == len(MESSAGE)


def test_no_size_is_told_to_who_does_not_ask_for_it() -> None:
    with SmtpSink(extensions=("PIPELINING",)) as sink:
        conversations(transport(sink), ["anna@example.org"])
        assert "MAIL FROM:<bounces@example.org>" in sink.commands


@pytest.mark.parametrize(("offered", "is_asked"), [("SIZE 1000", False), ("SIZE", True), ("SIZE 0", True)])
def test_a_mail_that_is_too_large_fails_at_once_and_is_not_armed(offered: str, is_asked: bool) -> None:
    armed: list[bool] = []

    async def arm() -> bool:
        armed.append(True)
        return True

    async def hold(sink: SmtpSink) -> Outcome:
        async with transport(sink).session() as session:
            outcome = await one(session, "anna@example.org", LARGE, arm)
            assert (await one(session, "ben@example.org")).state is DeliveryState.ACCEPTED
            return outcome

    with SmtpSink(extensions=("PIPELINING", offered), size_limit=1000) as sink:
        outcome = asyncio.run(hold(sink))
        assert any(f"SIZE={len(LARGE)}" in command for command in sink.commands) is is_asked
        assert sink.copies() == {"ben@example.org": 1}
    assert (outcome.state, outcome.code) == (DeliveryState.FAILED, 552 if is_asked else None)
    assert "too large" in outcome.text or f"{len(LARGE):,} octets" in outcome.text
    assert not is_hard_bounce(outcome)
    assert armed == []


@pytest.mark.parametrize("said", ["", "x", "-1", "1_000", "٣", "9" * 30])
def test_a_size_that_is_no_number_is_no_limit(said: str) -> None:
    assert largest({"SIZE": said}) == 0
