"""The conversation: when a mail counts as sent, refused, deferred or unknown, and that the arm decides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword, Session
from aiosmtpd.smtp import Envelope as ReceivedEnvelope

from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.throttle.slowing import complaint_in
from digest.deliver.transport import Envelope, MailSession, NotArmed
from digest.domain.bounces import Meaning, meaning_of_outcome
from digest.domain.deliveries import DeliveryState, Outcome, is_hard_bounce
from digest.domain.errors import Misconfigured, Refused, Unavailable
from tests.servers.faults import Banner, BrokenTls, Faults, SlowBanner
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import PATIENCE

MESSAGE = b"Message-ID: <1@example.org>\r\nSubject: a test\r\n\r\nHello.\r\n"

Work = Callable[[MailSession], Awaitable[object]]


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def to(recipient: str) -> Envelope:
    return Envelope("bounces@example.org", recipient)


def talk(url: str, work: Work, *, timeout: float = PATIENCE) -> object:
    """Hold one conversation with the server at `url`."""
    server = SmtpServer.from_url(url)
    transport = SmtpTransport(SmtpServer(server.host, server.port, timeout=timeout, start_tls=False))

    async def hold() -> object:
        async with transport.session() as session:
            return await work(session)

    return asyncio.run(hold())


def send(url: str, recipient: str, *, timeout: float = PATIENCE) -> Outcome:
    outcome = talk(url, lambda session: session.send(to(recipient), MESSAGE, yes), timeout=timeout)
    assert isinstance(outcome, Outcome)
    return outcome


def test_an_accepted_mail_is_at_the_server(smtp_sink: SmtpSink) -> None:
    outcome = send(smtp_sink.url, "anna@example.org")
    assert (outcome.state, outcome.code) == (DeliveryState.ACCEPTED, 250)
    assert smtp_sink.contents() == [MESSAGE]


def test_many_mails_share_one_conversation(smtp_sink: SmtpSink) -> None:
    async def three(session: MailSession) -> None:
        for name in ("anna", "ben", "cleo"):
            await session.send(to(f"{name}@example.org"), MESSAGE, yes)

    talk(smtp_sink.url, three)
    assert smtp_sink.count() == 3
    assert smtp_sink.connections == 1


def test_nothing_is_at_the_server_when_the_arm_is_refused(smtp_sink: SmtpSink) -> None:
    with pytest.raises(NotArmed):
        talk(smtp_sink.url, lambda session: session.send(to("anna@example.org"), MESSAGE, no))
    assert send(smtp_sink.url, "ben@example.org").state is DeliveryState.ACCEPTED
    assert [mail.recipients for mail in smtp_sink.messages()] == [("ben@example.org",)]


def test_the_dot_waits_for_the_arm(smtp_sink: SmtpSink) -> None:
    counts: list[int] = []

    async def slow_arm() -> bool:
        await asyncio.sleep(0.3)
        counts.append(smtp_sink.count())
        return True

    talk(smtp_sink.url, lambda session: session.send(to("anna@example.org"), MESSAGE, slow_arm))
    assert counts == [0]
    assert smtp_sink.count() == 1


@pytest.mark.parametrize(
    ("address", "state", "code"),
    [
        ("reject-550@example.org", DeliveryState.FAILED, 550),
        ("after-dot-554@example.org", DeliveryState.FAILED, 554),
        ("data-554@example.org", DeliveryState.FAILED, 554),
        ("defer-451@example.org", DeliveryState.PENDING, 451),
        ("data-451@example.org", DeliveryState.PENDING, 451),
        ("after-dot-451@example.org", DeliveryState.PENDING, 451),
    ],
)
def test_a_refusal_is_final_or_not_as_the_server_says(
    smtp_sink: SmtpSink, address: str, state: DeliveryState, code: int
) -> None:
    outcome = send(smtp_sink.url, address)
    assert (outcome.state, outcome.code) == (state, code)
    assert smtp_sink.count() == 0


def test_a_refusal_does_not_end_the_conversation(smtp_sink: SmtpSink) -> None:
    async def two(session: MailSession) -> tuple[Outcome, Outcome]:
        refused = await session.send(to("reject-550@example.org"), MESSAGE, yes)
        return refused, await session.send(to("anna@example.org"), MESSAGE, yes)

    refused, sent = talk(smtp_sink.url, two)  # type: ignore[misc]
    assert (refused.state, sent.state) == (DeliveryState.FAILED, DeliveryState.ACCEPTED)
    assert smtp_sink.connections == 1


@pytest.mark.parametrize(("address", "at_the_sink"), [("drop-after-dot", 1), ("lose-after-dot", 0)])
def test_a_connection_lost_after_the_dot_is_unknown(
    smtp_sink: SmtpSink, address: str, at_the_sink: int
) -> None:
    assert send(smtp_sink.url, f"{address}@example.org").state is DeliveryState.UNKNOWN
    assert smtp_sink.count() == at_the_sink


def test_a_server_silent_after_the_dot_is_unknown(smtp_sink: SmtpSink) -> None:
    outcome = send(smtp_sink.url, "delay-600@example.org", timeout=2.0)
    assert outcome.state is DeliveryState.UNKNOWN
    assert "dot" in outcome.text


def test_a_connection_lost_in_the_body_has_sent_nothing(smtp_sink: SmtpSink) -> None:
    long = MESSAGE + b"A line of the mail.\r\n" * 500_000
    with pytest.raises(Unavailable, match="before the dot"):
        talk(smtp_sink.url, lambda session: session.send(to("reset-in-body@example.org"), long, yes))
    assert smtp_sink.count() == 0


def test_a_server_that_cannot_be_reached_is_named() -> None:
    port = free_port()
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port} takes no mail: Connection refused"):
        send(f"smtp://127.0.0.1:{port}", "anna@example.org")


@pytest.mark.parametrize("greeting", [Banner(421), Banner(554), SlowBanner(60.0)])
def test_a_server_that_does_not_greet_is_away(smtp_sink: SmtpSink, greeting: Banner | SlowBanner) -> None:
    smtp_sink.faults = Faults(on_connection=lambda _: greeting)
    with pytest.raises(Unavailable):
        send(smtp_sink.url, "anna@example.org", timeout=1.0)


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (b"421 go away\r\n", "421 go away"),
        (b"421-go\r\n421 \x1b[2Jaway\xe2\x80\xae\r\n", "421 go [2Jaway"),
        (b"554 " + b"no " * 400 + b"\r\n", "no…"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        (b"", "Unexpected EOF received"),
    ],
)
def test_what_a_server_greets_with_is_told_on_a_line_as_it_was_said(greeting: bytes, said: str) -> None:
    told = str(greeted(greeting))
    assert told.endswith(said)
    assert told.isprintable()
    assert "'" not in told


def greeted(greeting: bytes) -> Unavailable:
    """Return what is told of a server that says `greeting` and hangs up."""

    async def meet() -> None:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with SmtpTransport(SmtpServer("127.0.0.1", port, timeout=PATIENCE)).session():
                pass

    with pytest.raises(Unavailable) as raised:
        asyncio.run(meet())
    return raised.value


def test_broken_tls_is_away_and_not_a_hang(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults = Faults(on_connection=lambda _: BrokenTls())
    transport = SmtpTransport(
        SmtpServer(smtp_sink.host, SmtpServer.from_url(smtp_sink.url).port, start_tls=True, timeout=3.0)
    )

    async def hold() -> None:
        async with transport.session():
            pass

    with pytest.raises(Unavailable):
        asyncio.run(hold())


class _Box:
    """An aiosmtpd handler that keeps what it got."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: ReceivedEnvelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.contents.append(envelope.content)
        return "250 2.0.0 kept"


def test_a_server_without_pipelining_is_spoken_to_in_turn() -> None:
    box = _Box()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        outcome = send(f"smtp://127.0.0.1:{controller.port}", "anna@example.org")
    finally:
        controller.stop()
    assert outcome.state is DeliveryState.ACCEPTED
    assert box.contents == [MESSAGE]


class _WithoutUs(_Box):
    """Refuses the sender, whoever the reader is."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self._said = said

    async def handle_MAIL(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        _envelope: ReceivedEnvelope,
        _address: str,
        _options: list[str],
    ) -> str:
        return self._said


@pytest.mark.parametrize(
    "said",
    ["530 5.7.0 Authentication required", "550 5.7.1 Sender refused", "553 no domain", "451 4.3.0 full"],
)
def test_a_sender_that_is_refused_costs_no_reader_their_mail(said: str) -> None:
    controller = Controller(_WithoutUs(said), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        outcome = send(f"smtp://127.0.0.1:{controller.port}", "anna@example.org")
    finally:
        controller.stop()
    assert (outcome.state, outcome.code) == (DeliveryState.PENDING, int(said[:3]))
    assert complaint_in(outcome) is None, "it would pause the receivers of everybody it was said of"
    assert meaning_of_outcome(replace(outcome, state=DeliveryState.FAILED)) is Meaning.REFUSES_US


def test_a_log_in_is_made_and_a_refused_one_is_told() -> None:
    def check(
        _server: object, _session: object, _envelope: object, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == b"right", handled=False)

    controller = Controller(
        _Box(),
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=check,
        auth_require_tls=False,
        auth_required=True,
    )
    controller.start()

    async def sent_with(password: str) -> Outcome:
        server = SmtpServer.from_url(f"smtp://post:{password}@127.0.0.1:{controller.port}")
        async with SmtpTransport(server).session() as session:
            return await session.send(to("anna@example.org"), MESSAGE, yes)

    try:
        assert asyncio.run(sent_with("right")).state is DeliveryState.ACCEPTED
        with pytest.raises(Refused, match="log-in"):
            asyncio.run(sent_with("wrong"))
    finally:
        controller.stop()


@pytest.mark.parametrize(
    "url", ["http://mail.example.org", "smtp://", "smtp://mail.example.org:999999", "mail.example.org", ""]
)
def test_an_address_that_takes_no_mail_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured, match="mail_url"):
        SmtpServer.from_url(url)


def test_a_log_in_is_read_from_the_address() -> None:
    server = SmtpServer.from_url("smtps://post%40example.org:p%2Fw@mail.example.org")
    assert (server.username, server.password) == ("post@example.org", "p/w")
    assert (server.port, server.use_tls) == (465, True)
    assert "p/w" not in server.name


class _Utf8Handler:
    """Keeps what a server that knows SMTPUTF8 was told and given."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], list[str], bytes]] = []

    async def handle_DATA(self, _: SMTP, session: Session, envelope: ReceivedEnvelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope.rcpt_tos, envelope.mail_options, envelope.content))
        return "250 taken"


def test_an_address_outside_ascii_goes_to_a_server_that_offers_smtputf8() -> None:
    handler = _Utf8Handler()
    controller = Controller(handler, "127.0.0.1", free_port(), enable_SMTPUTF8=True)
    controller.start()
    message = "To: lektør@example.org\r\n".encode() + MESSAGE

    async def two(session: MailSession) -> tuple[Outcome, Outcome]:
        first = await session.send(to("lektør@example.org"), message, yes)
        return first, await session.send(to("anna@example.org"), MESSAGE, yes)

    try:
        first, second = talk(f"smtp://127.0.0.1:{controller.port}", two)  # type: ignore[misc]
    finally:
        controller.stop()
    assert first.state is second.state is DeliveryState.ACCEPTED
    assert handler.taken == [
        (["lektør@example.org"], [f"SIZE={len(message)}", "BODY=8BITMIME", "SMTPUTF8"], message),
        (["anna@example.org"], [f"SIZE={len(MESSAGE)}"], MESSAGE),
    ]


def test_an_address_outside_ascii_has_failed_for_good_at_any_other_server(smtp_sink: SmtpSink) -> None:
    async def two(session: MailSession) -> tuple[Outcome, Outcome]:
        first = await session.send(to("lektør@example.org"), MESSAGE, yes)
        return first, await session.send(to("anna@example.org"), MESSAGE, yes)

    first, second = talk(smtp_sink.url, two)  # type: ignore[misc]
    assert (first.state, first.code) == (DeliveryState.FAILED, None)
    assert "lektør@example.org has letters before the @" in first.text
    assert not is_hard_bounce(first)
    assert second.state is DeliveryState.ACCEPTED
    assert smtp_sink.copies() == {"anna@example.org": 1}
