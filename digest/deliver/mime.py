"""A rendered issue as mail: encoded once, completed for each reader by putting their values in place.

Every fragment is quoted-printable encoded once an issue. Its tokens stand alone on their encoded lines,
between soft breaks, so a value of any length can take a token's place without touching what surrounds it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from digest.deliver.headers import (
    ascii_address,
    assert_headers,
    mail_address,
    mailbox,
    structured,
    unstructured,
)
from digest.deliver.quoted_printable import HARD, SOFT, encode
from digest.domain.errors import InvalidInput, Misconfigured, Refused
from digest.domain.issues import Edition
from digest.domain.mail import TOKEN, Assembly, RenderedIssue, Token, assemble, escape_html
from digest.domain.times import aware_utc

if TYPE_CHECKING:
    from digest.deliver.dkim.signing import Signer, Signing

MAX_EDITIONS = 4096
"""Editions kept ready. One of 30 articles costs 3 kB: it only refers to the issue's encoded pieces."""

URL_MAX = 900
"""A link stands in its header whole, in a line of at most 998 characters (RFC 5322 §2.1.1)."""

_URL = re.compile(r"https?://[!-;=?-~]+")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_NAME = re.compile(r"[A-Za-z0-9._-]+")

_END_OF_HEADERS = b"\r\n"
_PERSONAL_HEADERS = (b"To", b"Message-ID", b"List-Unsubscribe", b"List-Help")
"""What stands after the headers that readers share, in this order."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a newsletter's mail comes from; `archive_url` is http(s), or '' where there is no archive.

    `list_id` is a name in the sender's own domain, such as `weekly.digest.example.org` (RFC 2919);
    `feedback_id` what follows the issue's name in Feedback-ID, such as `weekly:digest:example-org`;
    `owner` the address of the person in charge (RFC 2369).
    """

    name: str
    address: str
    list_id: str
    feedback_id: str
    reply_to: str = ""
    owner: str = ""
    archive_url: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One reader's delivery: the same values give the same bytes on every attempt.

    `message_id` is written with its angle brackets. `follower` stands at the end of the links of who is
    measured, `picture_url` at the end of their mail; both are '' for all others.
    """

    email: str
    message_id: str
    unsubscribe_url: str
    preferences_url: str
    online_url: str
    follower: str = ""
    picture_url: str = ""


class _Slot(NamedTuple):
    """A place for a reader's value, in the HTML part or in the text part."""

    token: Token
    is_html: bool


_SLOTS = tuple(
    _Slot(token, is_html)
    for token in (
        Token.EMAIL,
        Token.UNSUBSCRIBE_URL,
        Token.PREFERENCES_URL,
        Token.ONLINE_URL,
        Token.FOLLOWER,
        Token.PICTURE_URL,
    )
    for is_html in (False, True)
)
"""A reader's own values, in the order in which `EncodedEdition.message` makes them."""

_Pieces = tuple[bytes | _Slot, ...]

_PICTURE = (
    f'<img src="{Token.PICTURE_URL.mark}" width="1" height="1" alt="" '
    'style="display:block;width:1px;height:1px;border:0" />'
)
"""At the end of a mail whose reader agreed to be measured: whoever shows it asks for it."""


class EncodedIssue:
    """One issue, ready to be mailed: `edition(...)` picks what a reader sees, `message(...)` completes it.

    `name` tells the issue from the newsletter's others (letters, digits, `._-`); `date` is the issue's, the
    same on every attempt. Without a `signer` it is left to the server to sign. `marks` are headers besides
    those that every mail has, by their names. Raises `Misconfigured` when the sender's identity cannot stand
    in a header.
    """

    def __init__(
        self,
        issue: RenderedIssue,
        sender: Sender,
        *,
        name: str,
        date: datetime,
        signer: Signer | None = None,
        marks: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._issue = issue
        self._date = aware_utc(date)
        self._signer = signer
        digest = hashlib.sha256(f"{sender.list_id} {name}".encode()).hexdigest()
        self._boundary = f"=_{digest[:24]}"
        self._sender_headers = _sender_headers(sender, name, self._date, issue)
        self._sender_headers += b"".join(structured(mark, value) for mark, value in marks.items())
        self._fragments: dict[tuple[str, bool], _Pieces] = {}
        self._pictured = _with_picture(issue.measured.html) if issue.is_measuring else ""
        self._edition = lru_cache(MAX_EDITIONS)(self._encoded_edition)

    def edition(self, edition: Edition) -> EncodedEdition:
        """Return `edition` encoded. Raises `KeyError` when the issue lacks one of its items or topics."""
        return self._edition(edition)

    def _encoded_edition(self, edition: Edition) -> EncodedEdition:
        assembly = assemble(self._issue, edition)
        headers = unstructured("Subject", assembly.subject) + self._sender_headers
        placed = list(assembly.placed())
        text = self._filled(((piece.text, place) for piece, place in placed), False, assembly)
        if edition.is_text:
            headers += structured("MIME-Version", "1.0") + _described("text/plain")
            whole = EncodedEdition.of(assert_headers(headers), _ended_once([*text]))
            return self._signed(replace(whole, is_measured=assembly.is_measured))
        headers += self._mime_headers()
        pieces: list[bytes | _Slot] = [self._part("text/plain"), *text, HARD, self._part("text/html")]
        html = [(piece.html, place) for piece, place in placed]
        if assembly.is_measured:
            html[-1] = self._pictured, 0
        pieces += self._filled(html, True, assembly)
        pieces.append(HARD + f"--{self._boundary}--".encode() + HARD)
        edition_of_all = EncodedEdition.of(assert_headers(headers), pieces)
        return self._signed(replace(edition_of_all, is_measured=assembly.is_measured))

    def _signed(self, edition: EncodedEdition) -> EncodedEdition:
        if self._signer is None:
            return edition
        signing = self._signer.edition(edition.headers, edition.start, _PERSONAL_HEADERS, self._date)
        return replace(edition, signing=signing)

    def _mime_headers(self) -> bytes:
        return (
            structured("MIME-Version", "1.0")
            + f'Content-Type: multipart/alternative;\r\n boundary="{self._boundary}"\r\n'.encode()
        )

    def _part(self, content_type: str) -> bytes:
        """Return what opens a part. The line break before it is the boundary's own (RFC 2046 §5.1.1)."""
        return f"--{self._boundary}\r\n".encode() + _described(content_type) + _END_OF_HEADERS

    def _filled(
        self, texts: Iterable[tuple[str, int]], is_html: bool, assembly: Assembly
    ) -> Iterator[bytes | _Slot]:
        """Yield the encoded fragments, each at its place, with the edition's own values; readers' slots stay.

        A place is a piece of its own, so fragments stay shared by all editions wherever they stand in them.
        So is who follows a link, right after its place.
        """
        values = assembly.values
        for text, place in texts:
            for piece in self._encoded(text, is_html):
                if isinstance(piece, _Slot) and piece.token is Token.PLACE:
                    yield b"%d" % place
                    if assembly.is_measured:
                        yield b"/" + SOFT
                        yield _Slot(Token.FOLLOWER, is_html)
                elif isinstance(piece, _Slot) and piece.token in values:
                    yield _encoded_value(values[piece.token], is_html)
                else:
                    yield piece

    def _encoded(self, text: str, is_html: bool) -> _Pieces:
        """Return a fragment encoded, at most once an issue."""
        key = (text, is_html)
        if key not in self._fragments:
            self._fragments[key] = _encoded_fragment(text, is_html)
        return self._fragments[key]


@dataclass(frozen=True, slots=True)
class EncodedEdition:
    """What all readers of one edition share: headers, and a body with places for their own values.

    `body` holds the encoded pieces by reference, empty where `slots` says which of `_SLOTS` belongs. It comes
    after the empty line that ends the headers. With `is_measured` its readers have slots that others lack.
    """

    headers: bytes
    body: tuple[bytes, ...]
    slots: tuple[tuple[int, int], ...]
    signing: Signing | None = None
    is_measured: bool = False

    @classmethod
    def of(cls, headers: bytes, pieces: Sequence[bytes | _Slot]) -> EncodedEdition:
        """Return the edition whose body is `pieces`."""
        body = tuple(b"" if isinstance(piece, _Slot) else piece for piece in pieces)
        slots = tuple(
            (at, _SLOTS.index(piece)) for at, piece in enumerate(pieces) if isinstance(piece, _Slot)
        )
        return cls(headers, body, slots)

    @property
    def start(self) -> bytes:
        """The body up to the first value of a reader."""
        return b"".join(self.body[: self.slots[0][0]] if self.slots else self.body)

    def message(self, recipient: Recipient) -> bytes:
        """Return the whole message (RFC 5322), lines ended by CRLF, none beginning with a dot.

        It is ASCII but for the address of a reader whose local part is not (RFC 6532). Raises `Refused` when
        the recipient's address or links cannot stand in a mail.
        """
        email = mail_address(recipient.email)
        values: tuple[bytes, ...] = (
            *_encoded_both(recipient.email),
            *_encoded_both(_url(recipient.unsubscribe_url)),
            *_encoded_both(_url(recipient.preferences_url)),
            *_encoded_both(_url(recipient.online_url)),
        )
        if self.is_measured:
            follower, picture = recipient.follower, _url(recipient.picture_url)
            values += *_encoded_both(follower), *_encoded_both(picture)
        body = list(self.body)
        for at, slot in self.slots:
            body[at] = values[slot]
        personal = _personal_headers(email, recipient)
        if self.signing is None:
            return b"".join([self.headers, personal, _END_OF_HEADERS, *body])
        whole = b"".join(body)
        signatures = self.signing.signatures(personal, whole)
        return b"".join([signatures, self.headers, personal, _END_OF_HEADERS, whole])


def _with_picture(html: str) -> str:
    """Return the end of a page with the picture as the last that is in it."""
    before, tag, after = html.rpartition("</body>")
    return f"{before}{_PICTURE}\n{tag}{after}" if tag else f"{html}{_PICTURE}\n"


def _described(content_type: str) -> bytes:
    """Return the headers that say what a text is and how it is encoded."""
    return (
        f"Content-Type: {content_type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    ).encode()


def _ended_once(pieces: list[bytes | _Slot]) -> list[bytes | _Slot]:
    """Return a text that ends in one line break: no signature covers empty lines there (RFC 6376 §3.4.3)."""
    *others, last = pieces
    assert isinstance(last, bytes), "what follows a slot ends its line"
    return [*others, last.rstrip(HARD) + HARD]


def _encoded_fragment(text: str, is_html: bool) -> _Pieces:
    """Return `text` encoded with a slot for each token. Every slot begins a line; what follows ends it."""
    if text and not text.endswith("\n"):
        raise ValueError(f"a fragment must end with a line break, or the next would not join: {text[-40:]!r}")
    first, *rest = TOKEN.split(text)
    pieces: list[bytes | _Slot] = [_before_slot(first) if rest else encode(first)]
    for name, literal in zip(rest[::2], rest[1::2], strict=True):
        pieces += [_Slot(Token(name), is_html), _after_slot(literal)]
    return tuple(pieces)


def _before_slot(literal: str) -> bytes:
    return encode(literal) + (b"" if literal == "" or literal.endswith("\n") else SOFT)


def _after_slot(literal: str) -> bytes:
    """A line break right after a value ends its encoded line; anything else goes on after a soft break."""
    if literal.startswith("\n"):
        return HARD + _before_slot(literal[1:])
    return SOFT + _before_slot(literal)


def _encoded_value(value: str, is_html: bool) -> bytes:
    return encode(escape_html(value) if is_html else value)


def _encoded_both(value: str) -> tuple[bytes, bytes]:
    """Return `value` for the text and for the HTML, which most often is the same."""
    text, escaped = encode(value), escape_html(value)
    return text, text if escaped == value else encode(escaped)


def _personal_headers(email: str, recipient: Recipient) -> bytes:
    if not _MESSAGE_ID.fullmatch(recipient.message_id):
        raise Refused(f"Message-ID {recipient.message_id!r} is not of the form <id@host>; nothing was sent")
    return (
        f"To: {email}\r\nMessage-ID: {recipient.message_id}\r\n"
        f"List-Unsubscribe: <{recipient.unsubscribe_url}>\r\n"
        # Where a reader sees what they get and changes it (RFC 2369 §3.1); there is no page of help for all.
        f"List-Help: <{recipient.preferences_url}>\r\n"
    ).encode()


def _url(url: str) -> str:
    if not _URL.fullmatch(url) or len(url) > URL_MAX:
        raise Refused(f"{url!r} is not an http(s) URL that a mail can carry; check the public URL setting")
    return url


def _sender_headers(sender: Sender, name: str, date: datetime, issue: RenderedIssue) -> bytes:
    try:
        return _written_sender_headers(sender, name, date, issue)
    except (InvalidInput, Refused) as exc:
        raise Misconfigured(f"newsletter '{issue.newsletter}', sender: {exc}") from exc


def _written_sender_headers(sender: Sender, name: str, date: datetime, issue: RenderedIssue) -> bytes:
    for value in (sender.list_id, name, *sender.feedback_id.split(":")):
        if not _NAME.fullmatch(value):
            raise InvalidInput(f"{value!r} must be of letters, digits, dots, hyphens and underscores")
    headers = [
        mailbox("From", sender.name, ascii_address(sender.address)),
        structured("Date", format_datetime(date)),
        mailbox("List-Id", issue.newsletter, sender.list_id),
        structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        structured("Feedback-ID", f"{name}:{sender.feedback_id}"),
        structured("Auto-Submitted", "auto-generated"),
        structured("Content-Language", issue.language),
    ]
    if sender.reply_to:
        headers.append(mailbox("Reply-To", "", ascii_address(sender.reply_to)))
    if sender.owner:
        headers.append(structured("List-Owner", f"<mailto:{ascii_address(sender.owner)}>"))
    if sender.archive_url:
        headers.append(structured("List-Archive", f"<{_url(sender.archive_url)}>"))
    return b"".join(headers)
