"""Servers that answer too much, too little or nonsense: no mail is lost or sent twice by that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

import pytest

from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.transport import Envelope, MailSession
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Unavailable
from tests.waiting import PATIENCE

MESSAGE = b"Message-ID: <1@example.org>\r\nSubject: a test\r\n\r\nHello.\r\n"
USUAL = {
    "EHLO": b"250-mx.example.org\r\n250-8BITMIME\r\n250 PIPELINING\r\n",
    "MAIL": b"250 2.1.0 ok\r\n",
    "RCPT": b"250 2.1.5 ok\r\n",
    "DATA": b"354 go on\r\n",
    ".": b"250 2.0.0 queued\r\n",
    "RSET": b"250 2.0.0 ok\r\n",
    "QUIT": b"221 2.0.0 bye\r\n",
}


class Scripted:
    """A server that answers each command as it is told, whatever came before; `taken` counts its dots."""

    def __init__(self, replies: Mapping[str, bytes | Callable[[int], bytes]]) -> None:
        self._replies = {**USUAL, **replies}
        self._asked: dict[str, int] = {}
        self.taken = 0
        self.conversations = 0
        self.commands: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError, ConnectionError):
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.conversations += 1
        writer.write(b"220 mx.example.org ESMTP\r\n")
        in_mail = False
        while octets := await reader.readline():
            line = octets.decode().strip("\r\n")
            if in_mail and line != ".":
                continue
            self.commands.append(line)
            verb = line.split(maxsplit=1)[0].upper()
            self.taken += verb == "."
            writer.write(self._answer(verb))
            in_mail = verb == "DATA"
            await writer.drain()
        writer.close()

    def _answer(self, verb: str) -> bytes:
        self._asked[verb] = self._asked.get(verb, 0) + 1
        reply = self._replies[verb]
        return reply if isinstance(reply, bytes) else reply(self._asked[verb])


async def yes() -> bool:
    return True


def send(server: Scripted, *recipients: str) -> list[Outcome | Unavailable]:
    """Send a mail to each in one conversation, as long as it is open."""

    async def one(session: MailSession, recipient: str) -> Outcome | Unavailable:
        try:
            return await session.send(Envelope("bounces@example.org", recipient), MESSAGE, yes)
        except Unavailable as exc:
            return exc

    async def hold() -> list[Outcome | Unavailable]:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        way = SmtpTransport(SmtpServer("127.0.0.1", port, timeout=PATIENCE, start_tls=False))
        async with listening, way.session() as session:
            return [await one(session, recipient) for recipient in recipients if session.is_open]

    return asyncio.run(hold())


def states(outcomes: list[Outcome | Unavailable]) -> list[str]:
    return [one.state.value if isinstance(one, Outcome) else "not armed" for one in outcomes]


def test_a_server_that_answers_the_dot_twice_gets_no_second_mail_in_that_conversation() -> None:
    # Each answer would be taken for that of the command after its own, and 354, which comes last, for that of
    # the dot: the mail would be with the server, and be sent again.
    server = Scripted(
        {
            "DATA": lambda n: b"354 go on\r\n" if n == 1 else b"",
            ".": lambda n: b"250 queued\r\n250 again\r\n" if n == 1 else b"354 go on\r\n250 queued\r\n",
        }
    )
    assert states(send(server, "anna@example.org", "ben@example.org")) == ["accepted"]
    assert server.taken == 1


@pytest.mark.parametrize("said", [b"354 go on\r\n", b"banana\r\n", b"100 wait\r\n", b"999 what\r\n"])
def test_an_answer_to_the_dot_that_is_none_leaves_the_mail_unknown(said: bytes) -> None:
    outcomes = send(Scripted({".": said}), "anna@example.org", "ben@example.org")
    assert states(outcomes) == ["unknown"]


def test_data_that_is_not_answered_by_354_is_no_leave_to_send() -> None:
    server = Scripted({"DATA": b"250 2.0.0 fine\r\n"})
    assert states(send(server, "anna@example.org")) == ["not armed"]
    assert server.taken == 0


def test_an_empty_mail_goes_to_nobody_when_the_sender_alone_was_refused() -> None:
    server = Scripted({"MAIL": b"451 4.3.0 later\r\n"})
    assert states(send(server, "anna@example.org")) == ["pending"]
    assert server.taken == 0


def test_a_recipient_that_is_answered_by_354_was_not_accepted() -> None:
    server = Scripted({"RCPT": b"354 what\r\n"})
    assert "accepted" not in states(send(server, "anna@example.org"))


def test_an_answer_of_very_many_lines_is_one_answer() -> None:
    long = b"".join(b"250-line %d\r\n" % number for number in range(300)) + b"250 2.0.0 queued\r\n"
    outcomes = send(Scripted({".": long}), "anna@example.org", "ben@example.org")
    assert states(outcomes) == ["accepted", "accepted"]


def test_an_answer_without_end_after_the_dot_is_unknown() -> None:
    endless = b"250-" + b"x" * 1000 + b"\r\n"
    outcomes = send(Scripted({".": endless * 200}), "anna@example.org", "ben@example.org")
    assert states(outcomes) == ["unknown"]


@pytest.mark.parametrize("said", [b"\xff\xfe\x00\r\n", "²⁵⁰ ok\r\n".encode(), b"\r\n", b"25\r\n"])
def test_binary_in_place_of_an_answer_is_never_a_success(said: bytes) -> None:
    outcomes = send(Scripted({".": said}), "anna@example.org")
    assert states(outcomes) == ["unknown"]
    assert isinstance(outcomes[0], Outcome)
    assert "\x00" not in outcomes[0].text


def test_a_log_in_that_ran_out_between_two_mails_delays_nobody() -> None:
    server = Scripted(
        {"MAIL": lambda n: b"250 ok\r\n" if n < 3 else b"530 5.7.0 Authentication required\r\n"}
    )
    *sent, late = send(server, "anna@example.org", "ben@example.org", "cleo@example.org")
    assert states(sent) == ["accepted", "accepted"]
    assert isinstance(late, Outcome)
    assert (late.state, late.retry_in) == (DeliveryState.PENDING, timedelta(0))


def test_what_a_server_does_not_offer_it_is_not_asked_for() -> None:
    ehlo = b"250-mx.example.org\r\n250-SMTPUTF8\r\n250 PIPELINING\r\n"
    server = Scripted({"EHLO": ehlo})
    assert states(send(server, "jürgen@example.org")) == ["accepted"]
    (mail,) = [command for command in server.commands if command.startswith("MAIL")]
    assert mail.endswith("> SMTPUTF8")
