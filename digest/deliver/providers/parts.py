"""A finished mail taken apart again, for providers that take no MIME: what has fields there, and the rest.

What cannot be handed over is left out: how bodies are encoded, DKIM signatures of ours, which would not hold
for what such a provider writes, and the date, which is theirs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_MESSAGE_ID = re.compile(rb"^message-id:\s*<([!-;=?-~]+)>", re.IGNORECASE | re.MULTILINE)
_OWN_PLACE = frozenset(
    {"from", "to", "subject", "reply-to", "date", "mime-version", "content-type", "content-transfer-encoding"}
)
_OF_THE_BYTES = frozenset({"dkim-signature"})


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address and its display name, '' for none."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mail is made of. `html` and `text` may be '', `reply_to` None; lines end in LF.

    `headers` are those that no field is for, as they stand in the mail but for their folds: in ASCII, and
    decodable by whoever shows them (RFC 2047).
    """

    sender: Mailbox
    reply_to: Mailbox | None
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    message_id: str
    """Without its angle brackets."""


def parts_of(message: bytes) -> Parts:
    """Return the parts of a mail that Digest wrote: one text, or a text and its HTML."""
    mail = message_from_bytes(message)
    headers = tuple((name, _FOLD.sub("", value)) for name, value in mail.items())
    first = {name.lower(): value for name, value in reversed(headers)}
    kept = ((name, value) for name, value in headers if name.lower() not in _OWN_PLACE | _OF_THE_BYTES)
    return Parts(
        sender=_mailbox(first.get("from", "")),
        reply_to=_mailbox(first["reply-to"]) if "reply-to" in first else None,
        subject=_decoded(first.get("subject", "")),
        text=_body(mail, "text/plain"),
        html=_body(mail, "text/html"),
        headers=tuple(kept),
        message_id=first.get("message-id", "").strip("<>"),
    )


def message_id_of(message: bytes) -> str:
    """Return a mail's Message-ID without its angle brackets, '' where it has none in its first 16 kB."""
    head = message[:16_384].partition(b"\r\n\r\n")[0]
    found = _MESSAGE_ID.search(head)
    return found[1].decode() if found else ""


def _mailbox(value: str) -> Mailbox:
    name, address = parseaddr(value)
    return Mailbox(address, _decoded(name))


def _decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


def _body(mail: Message, kind: str) -> str:
    for part in mail.walk():
        if part.get_content_type() == kind:
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content.decode("utf-8", "replace").replace("\r\n", "\n")
    return ""
