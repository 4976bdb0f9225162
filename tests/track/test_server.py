"""The server for return paths: what it takes, what it refuses, and that it keeps before it acknowledges."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from digest.domain.deliveries import DeliveryId
from digest.domain.errors import Unavailable
from digest.track.returns import ReturnPaths
from digest.track.server import SIZE_MAX, ReturnServer
from tests.track.reports import delivery_report

PATHS = ReturnPaths("bounces+*@news.example.org", ["k" * 32])
ONE, TWO = (PATHS.write(DeliveryId(number)) for number in (1, 2))
REPORT = delivery_report(to=ONE)


class Kept:
    """What was taken in, and what happens meanwhile."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        self.before: Callable[[str], None] = lambda _: None

    def __call__(self, octets: bytes, address: str) -> None:
        self.before(address)
        self.mails.append((address, octets))


@contextmanager
def served(kept: Kept) -> Iterator[int]:
    """Run a server in a thread; give its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = ReturnServer(kept, PATHS)
    try:
        ((_, port),) = asyncio.run_coroutine_threadsafe(server.start("127.0.0.1", 0), loop).result(10)
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def port(kept: Kept) -> Iterator[int]:
    with served(kept) as port:
        yield port


@pytest.mark.parametrize("kind", [smtplib.SMTP, smtplib.LMTP])
def test_a_report_to_a_return_path_of_ours_is_taken(port: int, kept: Kept, kind: type[smtplib.SMTP]) -> None:
    with kind("127.0.0.1", port) as client:
        assert client.sendmail("", [ONE.upper()], REPORT) == {}
    assert kept.mails == [(ONE.upper(), REPORT)]


@pytest.mark.parametrize(
    "address",
    [
        "postmaster@news.example.org",
        "bounces@news.example.org",
        ONE.replace("+1-", "+3-"),
        ONE.replace("news.", "other."),
        "ada@example.org",
    ],
)
def test_nothing_else_is_taken(port: int, kept: Kept, address: str) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as told:
            client.sendmail("", [address], REPORT)
        assert told.value.recipients[address][0] == 550
        assert set(client.sendmail("", [address, ONE], REPORT)) == {address}
    assert [address for address, _ in kept.mails] == [ONE]


def test_nothing_is_acknowledged_before_it_is_kept(port: int, kept: Kept) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait(_: str) -> None:
        reached.set()
        assert go_on.wait(10)

    kept.before = wait
    with socket.create_connection(("127.0.0.1", port)) as client, client.makefile("rwb") as stream:
        hello = (b"LHLO x", b"MAIL FROM:<>", f"RCPT TO:<{ONE}>".encode(), b"DATA")
        stream.readline()
        for command in hello:
            stream.write(command + b"\r\n")
            stream.flush()
            while stream.readline()[3:4] == b"-":
                pass
        stream.write(REPORT + b".\r\n")
        stream.flush()
        assert reached.wait(10)
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        go_on.set()
        client.settimeout(10)
        assert client.recv(100).startswith(b"250")
    assert len(kept.mails) == 1


@pytest.mark.parametrize("trouble", [Unavailable("the database is away"), RuntimeError("a fault")])
def test_what_cannot_be_kept_now_is_put_off_for_its_recipient_alone(
    port: int, kept: Kept, trouble: Exception
) -> None:
    def fail(address: str) -> None:
        if address == TWO:
            raise trouble

    kept.before = fail
    with smtplib.LMTP("127.0.0.1", port) as client:
        client.ehlo()
        client.mail("")
        client.rcpt(ONE)
        client.rcpt(TWO)
        assert client.data(REPORT)[0] == 250
        assert client.getreply()[0] == 451
    with smtplib.SMTP("127.0.0.1", port) as client:
        with pytest.raises(smtplib.SMTPDataError) as told:
            client.sendmail("", [ONE, TWO], REPORT)
        assert told.value.smtp_code == 451


def test_a_mail_that_is_too_large_is_refused_and_the_next_is_taken(port: int, kept: Kept) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        assert int(client.esmtp_features["size"]) == SIZE_MAX
        with pytest.raises((smtplib.SMTPSenderRefused, smtplib.SMTPDataError)):
            client.sendmail("", [ONE], b"x" * (SIZE_MAX + 1))
        client.rset()
        client.sendmail("", [ONE], b"Subject: " + b"x" * 20_000 + b"\r\n\r\nlong lines are taken\r\n")
    assert len(kept.mails) == 1


def test_too_many_recipients_and_connections_are_put_off(port: int, kept: Kept) -> None:
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        client.mail("")
        answers = [client.rcpt(PATHS.write(DeliveryId(number)))[0] for number in range(1, 53)]
    assert answers == [250] * 50 + [452] * 2
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    for one in crowd:
        assert one.recv(100).startswith(b"220")
    with socket.create_connection(("127.0.0.1", port)) as late:
        assert late.recv(100).startswith(b"421")
    for one in crowd:
        one.close()


def test_a_stop_lets_what_is_being_kept_end(kept: Kept) -> None:
    reached = threading.Event()

    def slowly(_: str) -> None:
        reached.set()
        threading.Event().wait(0.3)

    kept.before = slowly
    with served(kept) as port:
        client = smtplib.SMTP("127.0.0.1", port)
        sender = threading.Thread(target=lambda: client.sendmail("", [ONE], REPORT))
        sender.start()
        assert reached.wait(10)
    assert len(kept.mails) == 1
    sender.join(10)
