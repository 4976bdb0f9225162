"""Mails that come back, read: delivery reports (RFC 3464), complaints (RFC 5965), absences, and what is none.

Strangers write them, so nothing is believed here: values come out, cut to a length and without a line break.
What they mean for a reader, and whether they may be about that reader at all, is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from email.utils import getaddresses
from enum import StrEnum

from digest.track.guesses import Guess, guess

READ_MAX = 256 * 1024
"""Octets of a mail that are read. What a report says stands before the mail that it gives back."""

_BOUNDARIES_MAX = 20
"""Python's parser compares each line with every boundary around it: 100 of them take it seconds."""

_VALUE_MAX = 500
_RECIPIENTS_MAX = 100
_EXTENDED = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


class Kind(StrEnum):
    """What a mail that came back was taken for."""

    DELIVERY_REPORT = "delivery_report"
    COMPLAINT = "complaint"
    OTHER_FEEDBACK = "other_feedback"
    """A feedback report that complains of nothing: a failed authentication, a 'not spam'."""
    GUESSED = "guessed"
    """No report, but words in which some server or other says that a mail did not arrive."""
    AUTO_REPLY = "auto_reply"
    """Somebody is away, or a program says that the mail was read."""
    UNREADABLE = "unreadable"


class Action(StrEnum):
    """What became of a mail for one recipient (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What a report says of one recipient. Addresses are as written, '' where there is none.

    `original` is whom the mail was addressed to, `final` whom the reporting server had it for: somebody else
    when it was passed on. `status` is an enhanced code (RFC 3463), `diagnostic` the server's own words.
    """

    original: str
    final: str
    action: Action
    status: str
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A mail that came back.

    `own_id` is its own Message-ID, or its date where it has none. `about` is the Message-ID of the mail that
    it gives back, '' when it does not. `addresses` are those that may be the return path of that mail: the
    report's own recipients, and what it says of the mail's sender. `why` says what could not be read.
    """

    kind: Kind
    own_id: str
    recipients: tuple[RecipientReport, ...] = ()
    about: str = ""
    addresses: tuple[str, ...] = ()
    feedback: str = ""
    guess: Guess | None = None
    why: str = ""


def read_report(octets: bytes) -> Report:
    """Return what a mail that came back says, as far as it can be told. Never raises for what is in it."""
    octets = octets[:READ_MAX]
    if octets.lower().count(b"boundary=") > _BOUNDARIES_MAX:
        return Report(Kind.UNREADABLE, "", why="parts within parts, more than any report has")
    try:
        return _read(message_from_bytes(octets))
    except Exception as exc:  # noqa: BLE001 - the standard library's parser raises anything on strangers' mail
        why = f"the mail could not be read as one: {type(exc).__name__}: {exc}"
        return Report(Kind.UNREADABLE, "", why=why[:_VALUE_MAX])


def _read(message: Message) -> Report:
    own_id = _header(message, "Message-ID") or _header(message, "Date")
    addresses = tuple(dict.fromkeys(_addresses_of(message)))
    parts = _parts(message)
    given_back = _given_back(parts)
    about = _header(given_back, "Message-ID") if given_back else ""
    if (status := _part(parts, "message/delivery-status", "message/global-delivery-status")) is not None:
        recipients = tuple(_recipients(status))[:_RECIPIENTS_MAX]
        why = "" if recipients else "the report names no recipient that anything became of"
        kind = Kind.DELIVERY_REPORT if recipients else Kind.UNREADABLE
        return Report(kind, own_id, recipients, about, addresses, why=why)
    if (feedback := _part(parts, "message/feedback-report")) is not None:
        return _feedback(_fields(feedback), own_id, about, addresses, given_back)
    if _part(parts, "message/disposition-notification") is not None:
        return Report(Kind.AUTO_REPLY, own_id, about=about, addresses=addresses)
    if _is_auto_reply(message):
        return Report(Kind.AUTO_REPLY, own_id, addresses=addresses)
    guessed = guess(message)
    if guessed is None:
        why = "neither a delivery report nor a complaint, and no words that look like a bounce"
        return Report(Kind.UNREADABLE, own_id, addresses=addresses, why=why)
    return Report(Kind.GUESSED, own_id, addresses=addresses, guess=guessed)


def _parts(message: Message) -> Sequence[Message]:
    """Return the parts of a report. Only those: what a mail that is given back holds is no report of ours."""
    payload = message.get_payload()
    if message.is_multipart() and message.get_content_maintype() == "multipart" and isinstance(payload, list):
        return [part for part in payload if isinstance(part, Message)]
    return [message]


def _part(parts: Sequence[Message], *types: str) -> Message | None:
    return next((part for part in parts if part.get_content_type() in types), None)


def _given_back(parts: Sequence[Message]) -> Message | None:
    """Return the headers of the mail that a report gives back, whole or headers alone (RFC 3462)."""
    whole = _part(parts, "message/rfc822", "message/global")
    if whole is not None:
        payload = whole.get_payload()
        first = payload[0] if isinstance(payload, list) and payload else None
        return first if isinstance(first, Message) else None
    headers = _part(parts, "text/rfc822-headers", "message/rfc822-headers", "message/global-headers")
    return None if headers is None else message_from_string(_text(headers))


def _text(part: Message) -> str:
    """Return a part's text, however the parser has taken it."""
    payload = part.get_payload()
    if isinstance(payload, list):
        octets = b"\n\n".join(one.as_bytes() for one in payload if isinstance(one, Message))
        return octets.decode("utf-8", "replace")
    decoded = part.get_payload(decode=True)
    return decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else str(payload or "")


def _recipients(status: Message) -> Iterator[RecipientReport]:
    """Yield the groups of fields about recipients; the first group is about the mail (RFC 3464 §2.1)."""
    for fields in _groups(status):
        try:
            action = Action(_header(fields, "Action").lower())
        except ValueError:
            continue
        diagnostic = _header(fields, "Diagnostic-Code").partition(";")
        yield RecipientReport(
            original=_address(_header(fields, "Original-Recipient")),
            final=_address(_header(fields, "Final-Recipient")),
            action=action,
            status=_header(fields, "Status").partition(" ")[0],
            diagnostic=(diagnostic[2] or diagnostic[0]).strip(),
        )


def _groups(status: Message) -> Iterator[Message]:
    """Yield groups of fields. Of the international form (RFC 6533) Python parses only the first by itself."""
    if status.get_content_type() == "message/delivery-status":
        payload = status.get_payload()
        yield from (
            (group for group in payload if isinstance(group, Message)) if isinstance(payload, list) else ()
        )
        return
    for block in re.split(r"\n[ \t]*\n", _text(status).replace("\r\n", "\n")):
        yield message_from_string(block.strip("\n") + "\n\n")


def _fields(feedback: Message) -> Message:
    """Return the fields of a feedback report, which Python takes for the headers of a mail."""
    payload = feedback.get_payload()
    first = payload[0] if isinstance(payload, list) and payload else None
    return first if isinstance(first, Message) else message_from_string(_text(feedback))


_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
"""Types of feedback in which a reader says that they do not want the mail (RFC 5965 §7.3, RFC 6650)."""


def _feedback(
    fields: Message, own_id: str, about: str, addresses: tuple[str, ...], given_back: Message | None
) -> Report:
    kind = _header(fields, "Feedback-Type").lower()
    senders = [_header(fields, "Original-Mail-From")]
    senders += [_header(given_back, "Return-Path")] if given_back else []
    found = tuple(_address(sender) for sender in senders if sender)
    if not kind:
        why = "the complaint does not say what it complains of (Feedback-Type)"
        return Report(Kind.UNREADABLE, own_id, about=about, addresses=addresses + found, why=why)
    return Report(
        Kind.COMPLAINT if kind in _COMPLAINTS else Kind.OTHER_FEEDBACK,
        own_id,
        about=about,
        addresses=addresses + found,
        feedback=kind,
    )


_RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")


def _addresses_of(message: Message) -> Iterator[str]:
    """Yield whom a mail was delivered to, as servers note it and as its writer has it."""
    for name in _RECIPIENT_HEADERS:
        values = [_line(str(value)) for value in message.get_all(name, [])][:10]
        for _, address in getaddresses(values)[:_RECIPIENTS_MAX]:
            if "@" in address:
                yield address


def _is_auto_reply(message: Message) -> bool:
    """Return whether a program answered for a person (RFC 3834), and no server for itself."""
    if message.get("X-Failed-Recipients"):
        return False
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        submitted in ("auto-replied", "auto-notified")
        or _header(message, "Precedence").lower() in ("auto_reply", "auto-reply")
        or any(message.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "X-Autoreply-From"))
    )


def _address(field: str) -> str:
    """Return the address of a field such as `rfc822; ada@example.org`, without its type and brackets."""
    kind, found, address = field.rpartition(";")
    if found and kind.strip().lower() == "utf-8":
        address = _EXTENDED.sub(_character, address)
    return _line(address).strip("<>").strip()


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number <= 0x10FFFF else ""


def _header(message: Message, name: str) -> str:
    return _line(str(message.get(name, "")))


def _line(text: str) -> str:
    """Return a value as one line, printable and short."""
    printable = "".join(char if char.isprintable() else " " for char in text[: 4 * _VALUE_MAX])
    return " ".join(printable.split())[:_VALUE_MAX]
