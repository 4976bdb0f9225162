"""Header lines as bytes: ASCII, folded at 76, and nothing in them that could begin another header.

Python's own header folding breaks long URLs into encoded words and, before 3.12.5, lets a decoded
title begin a new header line (CVE-2024-6923), so headers are written here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from digest.domain.errors import InvalidInput, Refused

LINE_MAX = 76
FOLD = "\r\n "

STRUCTURED_MAX = 998
"""Characters of a line that cannot be folded (RFC 5322 §2.1.1)."""

_WORD_MAX = 75
"""Characters of an encoded word (RFC 2047 §2)."""

_HEADERS = re.compile(rb"(?:[!-9;-~]+: [ -~]+\r\n(?: [ -~]+\r\n)*)+")
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_Q_LITERAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def unstructured(name: str, text: str) -> bytes:
    """Return a header of free text, such as Subject, folded between words (RFC 5322 §2.2.3, RFC 2047).

    Raises `InvalidInput` for control characters: encoded, they would still end a line once decoded.
    """
    _refuse_controls(name, text)
    first = len(name) + 2
    if text.isascii() and "=?" not in text and text == " ".join(text.split()):
        lines = list(_filled(text.split(" "), first))
        if all(len(line) < LINE_MAX for line in lines[1:]) and first + len(lines[0]) <= LINE_MAX:
            return _header(name, FOLD.join(lines))
    return _header(name, FOLD.join(_encoded_words(text, first)))


def mailbox(name: str, display: str, address: str) -> bytes:
    """Return a header that holds one address and its display name, '' for none (RFC 5322 §3.4)."""
    _refuse_controls(name, display)
    words = [*_phrase(display, len(name) + 2), f"<{address}>"]
    fits = len(name) + 2 + len(" ".join(words)) <= LINE_MAX
    return _header(name, (" " if fits else FOLD).join(words))


def structured(name: str, value: str) -> bytes:
    """Return a header that must stand on one line as it is: a URI, an identifier, a date.

    Raises `InvalidInput` for one that no line holds.
    """
    _refuse_controls(name, value)
    if len(name) + 2 + len(value) > STRUCTURED_MAX:
        raise InvalidInput(f"{name}: {value[:60]!r}… is too long for a line of a mail; shorten it")
    return _header(name, value)


def assert_headers(block: bytes) -> bytes:
    """Return `block`, having looked at the bytes themselves: printable ASCII, CRLF, one name a header.

    Raises `InvalidInput` otherwise. The last line of defence, whatever was done to the values before.
    """
    if not _HEADERS.fullmatch(block):
        raise InvalidInput(f"mail headers hold a character they must not: {block!r}; nothing was sent")
    return block


def ascii_address(email: str) -> str:
    """Return `email` as every server takes it: an international domain as A-labels.

    Raises `Refused` for what is no address, and for a local part that only SMTPUTF8 could carry.
    """
    address = mail_address(email)
    if not address.isascii():
        raise Refused(
            f"{email!r} has letters before the @ that only some mail servers take (SMTPUTF8); "
            "use an address of plain letters"
        )
    return address


def mail_address(email: str) -> str:
    """Return `email` with its domain in A-labels, and its local part as it is: it may not be ASCII.

    Raises `Refused` for what is no address.
    """
    if _ADDRESS.fullmatch(email):
        return email
    try:
        found = validate_email(email, check_deliverability=False)
    except EmailNotValidError as exc:
        raise Refused(f"{email!r} is not a mail address: {exc}; correct it or remove the subscriber") from exc
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"


def printable(text: str) -> str:
    """Return `text` with a space for every character that no header may hold."""
    return " ".join(_FORBIDDEN.sub(" ", text).split())


def _header(name: str, value: str) -> bytes:
    return assert_headers(f"{name}: {value}\r\n".encode("ascii", "backslashreplace"))


def _refuse_controls(name: str, text: str) -> None:
    if found := _FORBIDDEN.search(text):
        raise InvalidInput(
            f"{name}: {text!r} holds the control character {found[0]!r}; take it out. Nothing was sent"
        )


def _phrase(display: str, first: int) -> list[str]:
    """Return a display name as atoms, a quoted string or encoded words; [] for ''."""
    if not display:
        return []
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", display) + '"'
    if display.isascii() and "=?" not in display and len(quoted) <= LINE_MAX - first:
        return [display if _ATOMS.fullmatch(display) else quoted]
    return list(_encoded_words(display, first))


def _filled(words: list[str], first: int) -> Iterator[str]:
    """Yield lines of `words`; `first` characters of the first are taken, one of each further by its fold."""
    line, used = words[0], first + len(words[0])
    for word in words[1:]:
        if used + 1 + len(word) > LINE_MAX:
            yield line
            line, used = word, 1 + len(word)
        else:
            line, used = f"{line} {word}", used + 1 + len(word)
    yield line


class _Encoding(NamedTuple):
    """One of RFC 2047's two: its opening, its result, what a character takes, and how much a room holds."""

    opening: str
    encoded: Callable[[str], str]
    size: Callable[[str], int]
    capacity: Callable[[int], int]


def _q(text: str) -> str:
    return "".join(map(_q_char, text))


def _q_char(char: str) -> str:
    if char == " ":
        return "_"
    return char if char in _Q_LITERAL else "".join(f"={byte:02X}" for byte in char.encode())


def _b(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_Q = _Encoding("=?utf-8?q?", _q, lambda char: len(_q_char(char)), lambda room: room)
_B = _Encoding("=?utf-8?b?", _b, lambda char: len(char.encode()), lambda room: room // 4 * 3)


def _encoded_words(text: str, first: int) -> Iterator[str]:
    """Yield `text` as encoded words, each for its own line, in whichever encoding is shorter.

    Cuts fall between characters, never inside one: each word must decode by itself (RFC 2047 §5).
    """
    encoding = min(_Q, _B, key=lambda choice: len(choice.encoded(text)))
    frame = len(encoding.opening) + len("?=")
    room = encoding.capacity(min(_WORD_MAX, LINE_MAX - first) - frame)
    start, used = 0, 0
    for at, char in enumerate(text):
        size = encoding.size(char)
        if used + size > room:
            yield f"{encoding.opening}{encoding.encoded(text[start:at])}?="
            start, used, room = at, 0, encoding.capacity(_WORD_MAX - frame)
        used += size
    yield f"{encoding.opening}{encoding.encoded(text[start:])}?="
