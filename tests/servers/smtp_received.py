"""What a sink remembers of a mail that it has accepted."""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass

_MESSAGE_ID = re.compile(rb"(?im)^Message-ID:[ \t]*(?:\r\n[ \t]+)?(\S+)")


@dataclass(frozen=True, slots=True)
class Received:
    """One accepted mail: what identifies it, who it was for, and the SHA-256 of its content.

    The content is what lies between DATA and the dot, with dot-stuffing undone; `at` is Unix time.
    """

    message_id: str
    recipients: tuple[str, ...]
    sha256: str
    octets: int
    at: float

    def as_json(self) -> str:
        """One line of a log (`dataclasses.asdict` would cost more than the rest of a mail)."""
        return json.dumps(
            {
                "message_id": self.message_id,
                "recipients": self.recipients,
                "sha256": self.sha256,
                "octets": self.octets,
                "at": self.at,
            }
        )


def has_bare_line_ends(content: bytes) -> bool:
    """Whether a CR or LF stands alone (RFC 5321 §2.3.8). Counting all four costs more."""
    rest = content.replace(b"\r\n", b"")
    return b"\n" in rest or b"\r" in rest


def describe(recipients: tuple[str, ...], content: bytes) -> Received:
    """What is remembered of a mail; the Message-ID is '' when it has none."""
    headers = content[: content.find(b"\r\n\r\n") + 2]
    message_id = _MESSAGE_ID.search(headers)
    return Received(
        message_id=message_id[1].decode("ascii", "replace") if message_id else "",
        recipients=recipients,
        sha256=hashlib.sha256(content).hexdigest(),
        octets=len(content),
        at=time.time(),
    )
