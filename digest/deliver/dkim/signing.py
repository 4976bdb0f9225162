"""A mail's DKIM-Signature headers, `c=relaxed/simple`, at the price of the signature itself.

Every header we write is signed. What all readers of an edition share is hashed once: a reader costs the
rest of the body, a few headers and one signature a key. A body of ours ends in one CRLF and is sent as it
stands, so it is canonical already (RFC 6376 §3.4.3), and its hash is a plain SHA-256.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digest.deliver.dkim.keys import DkimKey

OVERSIGNED = (
    *(b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"content-type"),
    *(b"list-unsubscribe", b"list-unsubscribe-post"),
)
"""Headers that are signed once more than they are there, so that none can be added: a mail program may show,
or act on, the one the signature does not cover (RFC 6376 §8.15)."""

_LINE_MAX = 76
_FOLD = re.compile(rb"\r\n(?=[ \t])")


@dataclass(frozen=True, slots=True)
class Signer:
    """The domain that answers for a mail (A-labels), and its keys: one signature each, in their order."""

    domain: str
    keys: Sequence[DkimKey]

    def edition(
        self, headers: bytes, body_start: bytes, personal: Iterable[bytes], date: datetime
    ) -> Signing:
        """Return what signs mails that begin with these headers and whose bodies begin with `body_start`.

        `personal` names the headers that follow the shared ones, in their order. `date` goes into the
        signature: the issue's own, so that a mail is the same bytes on every attempt.
        """
        shared = relaxed(headers)
        names = [line.partition(b":")[0] for line in shared.splitlines()]
        signed = [*names, *(name.lower() for name in personal), *OVERSIGNED]
        openings = [self._opening(key, signed, int(date.timestamp())) for key in self.keys]
        return Signing(shared, body_start, list(zip(self.keys, openings, strict=True)))

    def _opening(self, key: DkimKey, signed: list[bytes], at: int) -> bytes:
        """Return a signature's header up to where the body's hash goes."""
        tags = (
            f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/simple;\r\n d={self.domain};\r\n"
            f" s={key.selector}; t={at};\r\n h="
        )
        return tags.encode("ascii") + b"\r\n ".join(_folded(signed)) + b";\r\n bh="


def _folded(names: list[bytes]) -> Iterable[bytes]:
    """Yield the names with colons between, in lines; the first has ` h=` before it, the last `;` behind."""
    line = names[0]
    for name in names[1:]:
        if len(line) + len(name) + len(" h=:;") > _LINE_MAX:
            yield line + b":"
            line = name
        else:
            line += b":" + name
    yield line


class Signing:
    """Signs the mails of one edition."""

    def __init__(self, shared: bytes, body_start: bytes, openings: list[tuple[DkimKey, bytes]]) -> None:
        self._headers = hashlib.sha256(shared)
        self._body = hashlib.sha256(body_start)
        self._skip = len(body_start)
        # The signature's own header ends the signed ones, without its line break (RFC 6376 §3.7).
        self._openings = [(key, raw, relaxed(raw).removesuffix(b"\r\n")) for key, raw in openings]

    def signatures(self, personal: bytes, body: bytes) -> bytes:
        """Return the headers to put before the mail's own, one a key, for a body as it is sent."""
        hashed = self._body.copy()
        hashed.update(memoryview(body)[self._skip :])
        body_hash = b64encode(hashed.digest())
        headers = self._headers.copy()
        headers.update(relaxed(personal))
        made = []
        for key, raw, canonical in self._openings:
            signed = headers.copy()
            signed.update(canonical + body_hash + b"; b=")
            value = b"b=" + b64encode(key.sign(signed.digest()))
            made += [raw, body_hash, b";\r\n ", b"\r\n ".join(_chunks(value)), b"\r\n"]
        return b"".join(made)


def _chunks(value: bytes) -> list[bytes]:
    room = _LINE_MAX - len(" ")
    return [value[at : at + room] for at in range(0, len(value), room)]


def relaxed(headers: bytes) -> bytes:
    """Return header lines in the form that `relaxed` signs (RFC 6376 §3.4.2).

    Unfolded, in lower case before the colon, no space around it, single spaces after.
    """
    made = []
    for line in _FOLD.sub(b"", headers).split(b"\r\n"):
        if line:
            name, _, value = line.partition(b":")
            made += [name.strip().lower(), b":", b" ".join(value.split()), b"\r\n"]
    return b"".join(made)
