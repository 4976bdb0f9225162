"""A short plain mail to one person, such as what ops are told."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

from digest.deliver.headers import ascii_address, mailbox, printable, structured, unstructured
from digest.deliver.quoted_printable import encode
from digest.domain.times import aware_utc


def note(address: str, subject: str, text: str, *, message_id: str, date: datetime) -> bytes:
    """Return a message from `address` to itself, lines ended by CRLF, none beginning with a dot.

    Subject and text may be anything at all: names of sources stand in them. What cannot be shown becomes a
    space or a question mark. `message_id` is without its angle brackets. Raises `Refused` for what is no
    address.
    """
    to = ascii_address(address)
    headers = [
        mailbox("From", "", to),
        mailbox("To", "", to),
        unstructured("Subject", printable(subject)),
        structured("Date", format_datetime(aware_utc(date))),
        structured("Message-ID", f"<{message_id}>"),
        structured("Auto-Submitted", "auto-generated"),
        structured("MIME-Version", "1.0"),
        structured("Content-Type", "text/plain; charset=utf-8"),
        structured("Content-Transfer-Encoding", "quoted-printable"),
    ]
    lines = text.encode(errors="replace").decode().splitlines()
    return b"".join([*headers, b"\r\n", encode("\n".join(lines) + "\n")])
