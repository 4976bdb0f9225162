"""Logs as Postfix and Exim write them, of mails with the names that are given."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

ONE, TWO, THREE = (f"<7.{number}.0123456789ab@news.example.org>" for number in (1, 2, 3))
TOLD = "host mx.example.org[192.0.2.1] said: 550 5.1.1 <ada@example.org>: no such user (in reply to RCPT TO)"


def postfix(
    queue_id: str,
    message_id: str,
    *,
    clock: str = "07:00:01",
    taken: bool = True,
    end: str = "",
    removed: bool = True,
    name: str = "postfix",
) -> list[str]:
    """The lines about one mail; `end` is what it came to, as in `dsn=2.0.0, status=sent (250 ok)`."""

    def line(daemon: str, text: str) -> str:
        return f"Nov 23 {clock} mx {name}/{daemon}[812]: {queue_id}: {text}\n"

    lines = [line("smtpd", "client=localhost[127.0.0.1]"), line("cleanup", f"message-id={message_id}")]
    if taken:
        lines.append(line("qmgr", "from=<bounces@news.example.org>, size=38123, nrcpt=1 (queue active)"))
    if end:
        relay = "relay=mx.example.org[192.0.2.1]:25, delay=0.3, delays=0.1/0/0.1/0.1"
        lines.append(line("smtp", f"to=<ada@example.org>, {relay}, {end}"))
        lines += [line("qmgr", "removed")] if removed else []
    return lines


def bounced(dsn: str = "5.1.1", told: str = TOLD) -> str:
    return f"dsn={dsn}, status=bounced ({told})"


def exim(queue_id: str, message_id: str, *, end: str = "", completed: bool = True) -> list[str]:
    """The lines about one mail; `end` is a flag and what follows it, as in `=> ada@example.org R=x`."""

    def line(text: str) -> str:
        return f"2026-11-23 07:00:01 {queue_id} {text}\n"

    bare = message_id.strip("<>")
    subject = 'T="Tides id=<8.8.0123456789ab@news.example.org>"'
    lines = [line(f"<= desk@news.example.org H=localhost [127.0.0.1] P=esmtp S=38123 id={bare} {subject}")]
    if end:
        lines.append(line(end))
        lines += [line("Completed")] if completed else []
    return lines


def rfc5424(lines: Iterable[str]) -> list[str]:
    """The same lines of Postfix as RFC 5424 has them."""
    told = []
    for line in lines:
        program, text = line[len("Nov 23 07:00:01 mx ") :].split("[812]: ")
        told.append(f"<22>1 2026-11-23T08:00:01.123456+01:00 mx {program} 812 - - {text}")
    return told


def _journal(line: str) -> dict[str, str]:
    program, text = line.rstrip("\n")[len("Nov 23 07:00:01 mx ") :].split("[812]: ")
    moment = datetime(2026, 11, 23, 7, 0, 1, tzinfo=UTC).timestamp()
    return {
        "__CURSOR": "s=1;i=2",
        "__REALTIME_TIMESTAMP": str(int(moment * 1e6)),
        "SYSLOG_IDENTIFIER": program,
        "MESSAGE": text,
    }


def journal_json(lines: Iterable[str]) -> list[str]:
    return [json.dumps(_journal(line)) + "\n" for line in lines]


def journal_export(lines: Iterable[str]) -> bytes:
    """The journal's export format; every other value in its binary form, beside one too long to matter."""
    octets = b""
    for number, line in enumerate(lines):
        for name, value in _journal(line).items():
            text = value.encode()
            if number % 2 and name != "__CURSOR":
                octets += name.encode() + b"\n" + len(text).to_bytes(8, "little") + text + b"\n"
            else:
                octets += name.encode() + b"=" + text + b"\n"
        octets += b"COREDUMP\n" + (150_000).to_bytes(8, "little") + b"=\n" * 75_000 + b"\n\n"
    return octets
