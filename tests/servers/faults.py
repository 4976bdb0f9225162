"""What can go wrong in an SMTP conversation, and which address or connection meets it.

A recipient's address may say what happens to it, so that a test decides when it makes its subscribers and
the sink may run in any process:

| local part begins with | what happens |
|---|---|
| `reject-550` (any 5xx)          | refused at RCPT |
| `defer-451` (any 4xx)           | deferred at RCPT |
| `data-451` (any 4xx, 5xx)       | the answer to DATA |
| `after-dot-554` (any 4xx, 5xx)  | the answer after the dot; nothing is kept |
| `drop-after-dot`                | kept, then the connection is dropped before the 250 |
| `lose-after-dot`                | *not* kept, and the connection is dropped before any answer |
| `delay-30`                      | kept; the 250 comes 30 s later, and nothing else before it |
| `reset-in-body`                 | the connection is reset as soon as 512 octets of the mail have come |
| `in-body-421` (any 4xx, 5xx)    | answered, and closed, as soon as 512 octets of the mail have come |

A code may be followed by its RFC 3463 status (`reject-550-5.7.1`), anything by `-once` (only the address's
first attempt); then comes `@` or one of `. + _`: `defer-451-once.anna@example.org`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class At(StrEnum):
    """The command whose answer is replaced."""

    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer `code` (4xx or 5xx) instead of what would have been right. 421 closes the connection too."""

    at: At
    code: int
    status: str = ""

    @property
    def enhanced(self) -> str:
        """The RFC 3463 status: the one given, or a usual one. A plain 550 says 5.1.1, no such mailbox."""
        return self.status or ("5.1.1" if self.code == 550 else f"{self.code // 100}.0.0")


@dataclass(frozen=True, slots=True)
class DropAfterDot:
    """Close the connection instead of answering the dot; the mail is kept or lost, nobody can tell which."""

    kept: bool


@dataclass(frozen=True, slots=True)
class DelayReply:
    """Keep the mail at once and say so `seconds` later, if the client is still there."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WithholdReply:
    """Keep the mail at once and say so when the wait `is_over`, if the client is still there."""

    is_over: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class ResetInBody:
    """Send a TCP reset once `after_octets` of the mail's content have come."""

    after_octets: int = 512


@dataclass(frozen=True, slots=True)
class RefuseInBody:
    """Answer `code` once `after_octets` of the mail's content have come, and close without the dot."""

    code: int
    after_octets: int = 512


RecipientFault = Reply | DropAfterDot | DelayReply | WithholdReply | ResetInBody | RefuseInBody


@dataclass(frozen=True, slots=True)
class Banner:
    """Greet with `code` (421: go away) and close."""

    code: int = 421


@dataclass(frozen=True, slots=True)
class SlowBanner:
    """Greet one octet at a time, with so many seconds before each. Infinity: never say anything."""

    seconds_per_octet: float


@dataclass(frozen=True, slots=True)
class BrokenTls:
    """Offer STARTTLS, agree to it, and answer the handshake with plain text."""


@dataclass(frozen=True, slots=True)
class MostMails:
    """Answer each MAIL after the first `count` with `code` and words; 421 closes too, and 0 only closes."""

    count: int
    code: int = 421
    words: str = "4.7.0 too many messages in this connection"


ConnectionFault = Banner | SlowBanner | BrokenTls | MostMails


_NAMED = re.compile(
    r"(?P<kind>reject-(?=5)|defer-(?=4)|data-(?=[45])|after-dot-(?=[45])|in-body-(?=[45])|delay-"
    r"|drop-after-dot|lose-after-dot|reset-in-body)"
    r"(?P<number>\d*)(?:-(?P<status>[45]\.\d+\.\d+))?(?P<once>-once)?[@.+_]"
)
_REPLIES = {"reject-": At.RCPT, "defer-": At.RCPT, "data-": At.DATA, "after-dot-": At.DOT}


def fault_named_by(address: str, attempt: int = 1) -> RecipientFault | None:
    """The fault that the address itself asks for (the table above), or None."""
    named = _NAMED.match(address)
    if named is None or (named["once"] and attempt > 1):
        return None
    kind = named["kind"]
    if kind in _REPLIES:
        return Reply(_REPLIES[kind], int(named["number"]), named["status"] or "")
    if kind == "in-body-":
        return RefuseInBody(int(named["number"]))
    if kind == "delay-":
        return DelayReply(float(named["number"]))
    if kind == "reset-in-body":
        return ResetInBody()
    return DropAfterDot(kept=kind == "drop-after-dot")


@dataclass
class Faults:
    """The plan a sink follows; both callables may be replaced at any time.

    `on_connection` is asked with the number of the connection (from 1); `on_recipient` with the address
    as it was given and the number of its attempt (from 1). None means that nothing goes wrong.
    """

    on_connection: Callable[[int], ConnectionFault | None] = field(default=lambda _: None)
    on_recipient: Callable[[str, int], RecipientFault | None] = field(default=fault_named_by)
    _attempts: Counter[str] = field(default_factory=Counter)

    def for_recipient(self, address: str) -> RecipientFault | None:
        """The fault this attempt meets; counts the attempt."""
        self._attempts[address] += 1
        return self.on_recipient(address, self._attempts[address])
