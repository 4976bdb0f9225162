from __future__ import annotations

import hashlib
import json
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.faults import At, Banner, BrokenTls, Faults, Reply, SlowBanner
from tests.servers.smtp_sink import SmtpSink, copies, read_log
from tests.waiting import PATIENCE

MAIL = (
    b"Message-ID: <1@example.org>\r\nSubject: Weekly\r\n\r\nHello.\r\n..and a line that begins with a dot\r\n"
)
SENDER = "bounces@example.com"


@contextmanager
def client(sink: SmtpSink) -> Iterator[smtplib.SMTP]:
    connection = smtplib.SMTP(sink.host, sink.port, timeout=PATIENCE)
    try:
        yield connection
    finally:
        connection.close()


def send(sink: SmtpSink, recipient: str, content: bytes = MAIL) -> None:
    with client(sink) as connection:
        connection.sendmail(SENDER, [recipient], content)


@contextmanager
def raw(sink: SmtpSink) -> Iterator[socket.socket]:
    with socket.create_connection((sink.host, sink.port), timeout=PATIENCE) as connection:
        connection.recv(100)
        connection.sendall(b"EHLO client.example.org\r\n")
        connection.recv(1000)
        yield connection


def replies(connection: socket.socket, count: int) -> list[bytes]:
    with connection.makefile("rb") as lines:
        return [lines.readline()[:9] for _ in range(count)]


def test_a_mail_is_remembered_by_its_id_recipient_and_content(smtp_sink: SmtpSink) -> None:
    before = time.time()
    send(smtp_sink, "anna@example.org")
    (mail,) = smtp_sink.messages()
    assert (mail.message_id, mail.recipients) == ("<1@example.org>", ("anna@example.org",))
    assert mail.sha256 == hashlib.sha256(MAIL).hexdigest()
    assert before <= mail.at <= time.time()
    assert smtp_sink.contents() == [MAIL]


def test_the_log_holds_a_mail_before_its_sender_knows_that_it_was_accepted(
    smtp_sink: SmtpSink, tmp_path: Path
) -> None:
    send(smtp_sink, "anna@example.org")
    assert read_log(tmp_path / "smtp-sink.jsonl") == smtp_sink.messages()


def test_a_message_id_folded_onto_its_own_line_is_found(smtp_sink: SmtpSink) -> None:
    send(smtp_sink, "anna@example.org", b"Subject: x\r\nmessage-id:\r\n <2@example.org>\r\n\r\nHello.\r\n")
    assert smtp_sink.messages()[0].message_id == "<2@example.org>"


def test_a_message_id_in_the_body_is_not_the_mails_own(smtp_sink: SmtpSink) -> None:
    send(smtp_sink, "anna@example.org", b"Subject: x\r\n\r\nMessage-ID: <2@example.org>\r\n")
    assert smtp_sink.messages()[0].message_id == ""


def test_commands_that_come_together_are_answered_together_and_in_order(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        connection.sendall(
            b"MAIL FROM:<b@example.com>\r\n"
            b"RCPT TO:<reject-550@example.org>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n"
        )
        assert replies(connection, 4) == [b"250 2.1.0", b"550 5.1.1", b"250 2.1.5", b"354 end w"]
        connection.sendall(MAIL + b".\r\nMAIL FROM:<b@example.com>\r\nRCPT TO:<ben@example.org>\r\nDATA\r\n")
        assert replies(connection, 4) == [b"250 2.0.0", b"250 2.1.0", b"250 2.1.5", b"354 end w"]
        connection.sendall(b".\r\n")
        assert replies(connection, 1) == [b"250 2.0.0"]
    assert [mail.recipients for mail in smtp_sink.messages()] == [("anna@example.org",), ("ben@example.org",)]
    assert smtp_sink.contents()[1] == b""


def test_a_mail_that_arrives_octet_by_octet_is_the_same_mail(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"MAIL FROM:<b@example.com>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n")
        replies(connection, 3)
        for octet in MAIL.replace(b"\r\n.", b"\r\n..") + b".\r\n":
            connection.sendall(bytes([octet]))
        assert replies(connection, 1) == [b"250 2.0.0"]
    assert smtp_sink.contents() == [MAIL]


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n"])
def test_bare_line_ends_are_refused(smtp_sink: SmtpSink, content: bytes) -> None:
    with raw(smtp_sink) as connection:
        connection.sendall(b"MAIL FROM:<b@example.com>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n")
        replies(connection, 3)
        connection.sendall(b"Subject: x\r\n\r\n" + content + b".\r\n")
        assert replies(connection, 1) == [b"550 5.6.0"]
    assert smtp_sink.count() == 0


def test_content_sent_before_it_was_asked_for_is_refused(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        connection.sendall(
            b"MAIL FROM:<b@example.com>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n"
            b"Subject: x\r\n\r\nHello.\r\n.\r\n"
        )
        assert replies(connection, 3)[2] == b"554 5.5.0"
    assert smtp_sink.count() == 0


def test_commands_out_of_order_are_refused(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        connection.sendall(b"RCPT TO:<a@example.org>\r\nDATA\r\nMAIL TO:<a@example.org>\r\nVRFY a\r\n")
        assert replies(connection, 4) == [b"503 5.5.1", b"503 5.5.1", b"501 5.5.4", b"500 5.5.1"]


def test_a_mail_announced_as_too_large_is_refused(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        connection.sendall(b"MAIL FROM:<b@example.com> BODY=8BITMIME SIZE=99999999\r\n")
        assert replies(connection, 1) == [b"552 5.3.4"]


@pytest.mark.parametrize(
    ("recipient", "code", "status"),
    [
        ("reject-550@example.org", 550, b"5.1.1"),
        ("reject-550-5.7.1.anna@example.org", 550, b"5.7.1"),
        ("defer-451@example.org", 451, b"4.0.0"),
        ("defer-450-4.2.0+anna@example.org", 450, b"4.2.0"),
    ],
)
def test_an_address_can_ask_to_be_refused(
    smtp_sink: SmtpSink, recipient: str, code: int, status: bytes
) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(smtp_sink, recipient)
    assert refused.value.recipients[recipient][0] == code
    assert refused.value.recipients[recipient][1].startswith(status)


@pytest.mark.parametrize("recipient", ["data-451@example.org", "after-dot-554@example.org"])
def test_an_address_can_ask_that_its_content_is_refused(smtp_sink: SmtpSink, recipient: str) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(smtp_sink, recipient)
    assert str(refused.value.smtp_code) in recipient
    assert smtp_sink.count() == 0


def test_an_address_can_ask_to_be_deferred_only_once(smtp_sink: SmtpSink) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(smtp_sink, "defer-451-once@example.org")
    send(smtp_sink, "defer-451-once@example.org")
    assert smtp_sink.copies() == {"defer-451-once@example.org": 1}


@pytest.mark.parametrize(
    ("recipient", "kept"), [("drop-after-dot@example.org", 1), ("lose-after-dot@example.org", 0)]
)
def test_a_connection_can_drop_after_the_dot_with_the_mail_kept_or_lost(
    smtp_sink: SmtpSink, recipient: str, kept: int
) -> None:
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(smtp_sink, recipient)
    assert smtp_sink.count() == kept


def test_a_delayed_answer_comes_late_though_the_mail_is_kept_at_once(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        connection.sendall(b"MAIL FROM:<b@example.com>\r\nRCPT TO:<delay-1@example.org>\r\nDATA\r\n")
        replies(connection, 3)
        connection.sendall(MAIL + b".\r\nNOOP\r\n")
        assert replies(connection, 2) == [b"250 2.0.0"] * 2
        answered = time.time()
    (mail,) = smtp_sink.messages()
    assert answered - mail.at >= 0.99


def test_an_answer_is_withheld_until_there_is_a_new_plan(smtp_sink: SmtpSink) -> None:
    smtp_sink.withhold(after=0)
    with raw(smtp_sink) as connection:
        connection.sendall(b"MAIL FROM:<b@example.com>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n")
        replies(connection, 3)
        connection.sendall(MAIL + b".\r\n")
        smtp_sink.wait_for(1)
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        connection.settimeout(PATIENCE)
        smtp_sink.faults = Faults()
        assert replies(connection, 1) == [b"250 2.0.0"]
    assert (smtp_sink.count(), smtp_sink.offered) == (1, 1)


def test_a_connection_can_be_reset_in_the_middle_of_a_body(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        connection.sendall(b"MAIL FROM:<b@example.com>\r\nRCPT TO:<reset-in-body@example.org>\r\nDATA\r\n")
        replies(connection, 3)
        connection.sendall(b"Subject: x\r\n" * 100)
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    assert smtp_sink.count() == 0


def test_421_at_the_banner_turns_a_client_away(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults = Faults(on_connection=lambda number: Banner(421) if number == 1 else None)
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        send(smtp_sink, "anna@example.org")
    assert refused.value.smtp_code == 421
    send(smtp_sink, "anna@example.org")
    assert smtp_sink.count() == 1


def test_421_at_a_command_ends_the_connection(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        connection.sendall(b"MAIL FROM:<b@example.com>\r\nRCPT TO:<defer-421@example.org>\r\n")
        assert replies(connection, 3) == [b"250 2.1.0", b"421 4.0.0", b""]


def test_a_banner_can_drip_for_as_long_as_one_likes(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.on_connection = lambda _: SlowBanner(0.02)
    began = time.monotonic()
    send(smtp_sink, "anna@example.org")
    assert time.monotonic() - began > 0.3
    smtp_sink.faults.on_connection = lambda _: SlowBanner(float("inf"))
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=0.2)


def test_tls_can_be_offered_and_then_fail(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.on_connection = lambda _: BrokenTls()
    with client(smtp_sink) as connection, pytest.raises(OSError, match="SSL"):
        connection.starttls()


def test_refused_connections_are_taken_again_on_the_same_port(smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse_connections()
    with pytest.raises(ConnectionRefusedError):
        send(smtp_sink, "anna@example.org")
    smtp_sink.accept_connections()
    send(smtp_sink, "anna@example.org")
    assert smtp_sink.count() == 1


def test_open_connections_can_be_dropped(smtp_sink: SmtpSink) -> None:
    with raw(smtp_sink) as connection:
        smtp_sink.drop_connections()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert (smtp_sink.connections, smtp_sink.most_open) == (1, 1)


def test_any_rule_can_decide_what_happens_to_a_recipient(smtp_sink: SmtpSink) -> None:
    smtp_sink.faults.on_recipient = lambda address, attempt: Reply(At.RCPT, 452) if attempt < 3 else None
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(smtp_sink, "anna@example.org")
    send(smtp_sink, "anna@example.org")
    assert smtp_sink.count() == 1


def test_a_server_with_other_extensions_can_be_played() -> None:
    with SmtpSink(extensions=("SMTPUTF8",)) as sink, client(sink) as connection:
        connection.ehlo()
        assert connection.esmtp_features == {"smtputf8": ""}


def test_a_sink_that_slows_down_is_quick_at_first(smtp_sink: SmtpSink) -> None:
    smtp_sink.slow_down(after=2, seconds=0.5)
    for number in range(3):
        send(smtp_sink, f"{number}@example.org")
    answered = time.time()
    assert answered - smtp_sink.messages()[2].at >= 0.49
    smtp_sink.slow_down(after=3, seconds=600)
    smtp_sink.faults = Faults()
    send(smtp_sink, "3@example.org")
    assert smtp_sink.count() == 4


def test_waiting_in_vain_says_how_many_came(smtp_sink: SmtpSink) -> None:
    with pytest.raises(TimeoutError, match="0 of 1 mails"):
        smtp_sink.wait_for(1, seconds=0.05)


def test_as_a_process_it_prints_its_port_and_its_log_survives_sigkill(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.smtp_sink", "--log", str(log), "--quiet"],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process, smtplib.SMTP("127.0.0.1", int(process.stdout.readline()), timeout=PATIENCE) as connection:
        for number in range(3):
            connection.sendmail(SENDER, [f"r{number}@example.org"], MAIL)
        process.kill()
        connection.close()
    assert copies(read_log(log)) == {f"r{number}@example.org": 1 for number in range(3)}
    assert set(json.loads(log.read_text().splitlines()[0])) == {
        "message_id",
        "recipients",
        "sha256",
        "octets",
        "at",
    }
