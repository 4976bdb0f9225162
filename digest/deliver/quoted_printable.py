"""Quoted-printable, a stretch at a time (RFC 2045 §6.7), so that encoded stretches join.

Beyond what the standard asks, no line begins with a dot or "From ": the bytes need neither dot-stuffing
(RFC 5321 §4.5.2) nor an mbox's mark, so what is signed, sent and stored is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LINE_MAX = 76
"""Characters of an encoded line, the `=` of a soft break included."""

SOFT = b"=\r\n"
HARD = b"\r\n"

_ROOM = LINE_MAX - len("=")
_CODES = tuple(b"=%02X" % byte for byte in range(256))
_SPECIAL = re.compile(rb"[^\t !-<>-~]")
_FITS = re.compile(rb"(?![.]|From )[!-<>-~]{1,75}")
"""What stands on a line as it is: the common case of a reader's own values."""


def encode(text: str) -> bytes:
    """Return `text` encoded from the start of a line; its line breaks (LF) become CRLF.

    The last line stays open: what follows begins with `SOFT` to go on in the same line of text, or with
    `HARD` to end it. Text that ends with a line break leaves an empty line, and so needs neither.
    """
    raw = text.encode()
    if _FITS.fullmatch(raw):
        return raw
    return HARD.join(SOFT.join(_lines(line)) for line in raw.split(b"\n"))


def _lines(line: bytes) -> Iterator[bytes]:
    """Yield one line of text as encoded lines of at most 75 characters, without their breaks."""
    escaped = _SPECIAL.sub(lambda match: _CODES[match[0][0]], line)
    if escaped.endswith((b" ", b"\t")):
        escaped = escaped[:-1] + _CODES[escaped[-1]]
    start = 0
    while True:
        head = b""
        if escaped.startswith((b".", b"From "), start):
            head, start = _CODES[escaped[start]], start + 1
        end = _end(escaped, start + _ROOM - len(head))
        yield head + escaped[start:end]
        if end == len(escaped):
            return
        start = end


def _end(escaped: bytes, end: int) -> int:
    """Return where a line may break at or before `end`: never inside an `=XX`."""
    if end >= len(escaped):
        return len(escaped)
    return end - 1 if escaped[end - 1] == 0x3D else end - 2 if escaped[end - 2] == 0x3D else end
