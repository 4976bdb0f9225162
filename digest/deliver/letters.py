"""A mail to one person that is no issue, as bytes: written at once, in one piece."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from digest.deliver.headers import (
    ascii_address,
    assert_headers,
    mail_address,
    mailbox,
    printable,
    structured,
    unstructured,
)
from digest.deliver.quoted_printable import HARD, encode
from digest.domain.mail import Page
from digest.domain.times import aware_utc

if TYPE_CHECKING:
    from digest.deliver.dkim.signing import Signer

_PERSONAL = (b"To",)
"""What stands after the signer's headers: it may not be ASCII, which the others are."""


@dataclass(frozen=True, slots=True)
class Head:
    """Who writes to whom, and when. `message_id` is written with its angle brackets.

    `reply_to`, `language` and `feedback_id` may be ''. `unsubscribe_url` is '' for a mail that nobody can
    have too often: one that was asked for, or the last one. With it the mail is one of a list, `list_id`
    (RFC 2919).
    """

    sender: str
    to: str
    message_id: str
    date: datetime
    sender_name: str = ""
    reply_to: str = ""
    language: str = ""
    feedback_id: str = ""
    list_id: str = ""
    unsubscribe_url: str = ""


def letter(page: Page, head: Head, *, signer: Signer | None = None) -> bytes:
    """Return the whole message (RFC 5322), lines ended by CRLF, none beginning with a dot.

    A page without HTML becomes a mail of text alone. Subject and bodies may be anything at all: what cannot
    be shown becomes a space or a question mark. It is ASCII but for a recipient whose local part is not
    (RFC 6532).
    Raises `Refused` for what is no address, `InvalidInput` for what no header holds.
    """
    kind, body = _bodies(page, head.message_id)
    headers = assert_headers(_headers(page, head) + kind)
    personal = f"To: {mail_address(head.to)}\r\n".encode()
    if signer is None:
        return b"".join([headers, personal, HARD, body])
    signing = signer.edition(headers, b"", _PERSONAL, head.date)
    return b"".join([signing.signatures(personal, body), headers, personal, HARD, body])


def _headers(page: Page, head: Head) -> bytes:
    headers = [
        mailbox("From", printable(head.sender_name), ascii_address(head.sender)),
        unstructured("Subject", printable(page.subject)),
        structured("Date", format_datetime(aware_utc(head.date))),
        structured("Message-ID", head.message_id),
        # No answer is wanted of machines: out-of-office replies and the like stay away (RFC 3834 §5).
        structured("Auto-Submitted", "auto-generated"),
    ]
    if head.reply_to:
        headers.append(mailbox("Reply-To", "", ascii_address(head.reply_to)))
    if head.unsubscribe_url:
        headers += [
            mailbox("List-Id", "", head.list_id),
            structured("List-Unsubscribe", f"<{head.unsubscribe_url}>"),
            structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    optional = {"Feedback-ID": head.feedback_id, "Content-Language": head.language}
    headers += [structured(name, value) for name, value in optional.items() if value]
    return b"".join([*headers, structured("MIME-Version", "1.0")])


def _bodies(page: Page, message_id: str) -> tuple[bytes, bytes]:
    """Return the headers that say of what kind the body is, and the body."""
    text = _part("text/plain", page.text)
    if not page.html:
        return text
    boundary = f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:24]}"
    between = HARD + f"--{boundary}".encode()
    html = _part("text/html", page.html)
    parts = [
        between.removeprefix(HARD),
        HARD,
        HARD.join(text),
        between,
        HARD,
        HARD.join(html),
        between,
        b"--",
        HARD,
    ]
    kind = f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode()
    return kind, b"".join(parts)


def _part(content_type: str, text: str) -> tuple[bytes, bytes]:
    headers = structured("Content-Type", f"{content_type}; charset=utf-8") + structured(
        "Content-Transfer-Encoding", "quoted-printable"
    )
    lines = text.encode(errors="replace").decode().splitlines()
    return headers, encode("\n".join(lines) + "\n")
