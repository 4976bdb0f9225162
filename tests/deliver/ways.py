"""Every way that mail can leave, each with what it takes to see what arrived and to make it misbehave."""

from __future__ import annotations

import asyncio
import mailbox
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import SecretStr

from digest.deliver.letters import Head, letter
from digest.deliver.mail_urls import open_transport
from digest.deliver.providers import open_provider
from digest.deliver.smtp import SmtpServer, SmtpTransport
from digest.deliver.transport import Arm, Envelope, MailSession, Transport
from digest.domain.deliveries import Outcome
from digest.domain.mail import Page
from tests.servers.provider_dialects import Mailgun, Postmark, SendGrid, Ses
from tests.servers.provider_server import (
    Dialect,
    ProviderServer,
    knows_no_such_reader,
    status,
    takes_and_hangs_up,
    takes_and_is_silent,
)
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW
from tests.waiting import PATIENCE

DIALECTS: tuple[type[Dialect], ...] = (Ses, Postmark, Mailgun, SendGrid)
NETWORKED = ("smtp", *(dialect.scheme for dialect in DIALECTS))
HERE = ("maildir", "eml", "console")

RETURN_PATH = "bounces+7@example.org"


def mail_to(recipient: str) -> bytes:
    """A mail as Digest writes it, of text and HTML, in more letters than ASCII has."""
    page = Page(
        "Hafen-Woche: Gezeiten, 6 Turbinen – und „mehr“",
        "<html><body><p>Grüße & <b>Küsse</b> vom Hafen.</p></body></html>",
        "Grüße vom Hafen.\n\n.Eine Zeile mit Punkt.\n",
    )
    head = Head(
        sender="news@example.org",
        to=recipient,
        message_id="<3.17.0a1b2c3d4e5f@example.org>",
        date=NOW,
        sender_name="Hafen, Wöchentlich",
        language="de",
        feedback_id="3:weekly:digest:example-org",
        list_id="weekly.digest.example.org",
        unsubscribe_url="https://digest.example.org/unsubscribe/abc.def",
    )
    return letter(page, head)


@dataclass(frozen=True)
class Arrived:
    """A mail on the other side, '' where it is not kept as bytes."""

    recipient: str
    message: bytes


class Way(Protocol):
    """One transport, and its other side."""

    name: str
    is_raw: bool

    def open(self, *, timeout: float = PATIENCE) -> Transport: ...

    def arrived(self) -> list[Arrived]: ...


@dataclass
class SmtpWay:
    sink: SmtpSink
    name: str = "smtp"
    is_raw: bool = True

    def open(self, *, timeout: float = PATIENCE) -> Transport:
        return SmtpTransport(SmtpServer(self.sink.host, self.sink.port, timeout=timeout, start_tls=False))

    def arrived(self) -> list[Arrived]:
        kept = zip(self.sink.messages(), self.sink.contents(), strict=True)
        return [Arrived(mail.recipients[0], content) for mail, content in kept]

    def away(self) -> None:
        self.sink.refuse_connections()

    def refuse(self) -> str:
        return "reject-550@example.org"

    def defer(self) -> str:
        return "after-dot-451@example.org"

    def lose_the_answer(self) -> str:
        return "drop-after-dot@example.org"

    def keep_silent(self) -> str:
        return "delay-600@example.org"


@dataclass
class ProviderWay:
    server: ProviderServer

    @property
    def name(self) -> str:
        return self.server.dialect.scheme

    @property
    def is_raw(self) -> bool:
        return self.server.dialect.is_raw

    def open(self, *, timeout: float = PATIENCE) -> Transport:
        return open_provider(self.server.mail_url, SecretStr(self.server.dialect.key), timeout=timeout)

    def arrived(self) -> list[Arrived]:
        return [Arrived(taken.recipient, taken.message) for taken in self.server.taken]

    def away(self) -> None:
        self.server.__exit__(None, None, None)

    def refuse(self) -> str:
        self.server.will(knows_no_such_reader)
        return "anna@example.org"

    def defer(self) -> str:
        self.server.will(status(500))
        return "anna@example.org"

    def lose_the_answer(self) -> str:
        self.server.will(takes_and_hangs_up)
        return "anna@example.org"

    def keep_silent(self) -> str:
        self.server.will(takes_and_is_silent)
        return "anna@example.org"


@dataclass
class FolderWay:
    name: str
    folder: Path
    is_raw: bool = True

    def open(self, *, timeout: float = PATIENCE) -> Transport:
        return open_transport(f"{self.name}://{self.folder}", SecretStr(""))

    def arrived(self) -> list[Arrived]:
        if self.name == "maildir":
            found = [box.as_bytes() for box in mailbox.Maildir(self.folder, create=False)]
            return [_unwrapped(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")) for octets in found]
        return [_unwrapped(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]


def _unwrapped(octets: bytes) -> Arrived:
    """Take off what a delivery agent puts on top."""
    found = re.match(rb"Return-Path: <(.*)>\r\nDelivered-To: (.*)\r\n", octets)
    assert found
    assert found[1].decode() == RETURN_PATH
    return Arrived(found[2].decode(), octets[found.end() :])


@dataclass
class ConsoleWay:
    screen: pytest.CaptureFixture[str]
    name: str = "console"
    is_raw: bool = True
    _seen: str = ""

    def open(self, *, timeout: float = PATIENCE) -> Transport:
        return open_transport("console:", SecretStr(""))

    def arrived(self) -> list[Arrived]:
        self._seen += self.screen.readouterr().out
        rule = "-" * 76
        found = self._seen.split(f"{rule}\n")[1:]
        return [
            Arrived(head.partition("RCPT TO:<")[2].rstrip(">\n"), text[:-1].replace("\n", "\r\n").encode())
            for head, text in zip(found[::2], found[1::2], strict=True)
        ]


@contextmanager
def opened(name: str, request: pytest.FixtureRequest) -> Iterator[Way]:
    """Give the way of that name, with its other side ready."""
    if name == "smtp":
        yield SmtpWay(request.getfixturevalue("smtp_sink"))
    elif name in ("maildir", "eml"):
        yield FolderWay(name, request.getfixturevalue("tmp_path") / "deep" / "outbox")
    elif name == "console":
        yield ConsoleWay(request.getfixturevalue("capsys"))
    else:
        (dialect,) = (each for each in DIALECTS if each.scheme == name)
        with ProviderServer(dialect()) as server:
            yield ProviderWay(server)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def hold(transport: Transport, work: Callable[[MailSession], Awaitable[object]]) -> object:
    """Hold one conversation."""

    async def talk() -> object:
        async with transport.session() as session:
            return await work(session)

    return asyncio.run(talk())


def send(transport: Transport, recipient: str = "anna@example.org", arm: Arm = yes) -> Outcome:
    """Send one mail in a conversation of its own."""
    mail = mail_to(recipient)
    outcome = hold(transport, lambda session: session.send(Envelope(RETURN_PATH, recipient), mail, arm))
    assert isinstance(outcome, Outcome)
    return outcome
