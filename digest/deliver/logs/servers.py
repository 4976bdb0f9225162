"""What lines of Postfix's and Exim's logs say of our mails: taken, or given up.

Each knows a mail by an id of its own queue, and our Message-ID only on one line. So ids are remembered from
there until the mail has left the queue, over the ends of files, too: as many as are in the queue at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from digest.domain.bounces import statuses_in

OWN_FORM = re.compile(rb"<\d+\.\d+\.[0-9a-f]{12}@[^<>\s]+>")
"""How our Message-IDs look."""

_TAG = re.compile(
    rb"(?:^|[\s])[\w.-]+/(?:[\w.-]+/)*([a-z]+)(?:(?:\[\d+\])?:| \S+ \S+ (?:-|\[[^\]]*\])) "
    rb"(?:\xef\xbb\xbf)?([0-9A-Za-z]+): (.*)"
)
"""The daemon of Postfix, the queue's id and the text, as syslog writes them, or RFC 5424."""

_POSTFIX_SIGNS = (b"message-id=", b"(queue active)", b"status=", b": removed", b"hold: ", b"discard: ")
_HELD = re.compile(rb"(?:milter-)?(?:hold|discard): ")
_GIVEN_UP = re.compile(rb"to=<([^>]*)>,.*? dsn=([245]\.\d{1,3}\.\d{1,3}), status=bounced \((.*)\)\s*$")
_EXPIRED = re.compile(rb"from=<[^>]*>, status=(?:force-)?expired")

_EXIM = re.compile(
    rb"(?:^|\s)([0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})) "
    rb"(<=|\*\*|Completed)(?:\s(.*))?$"
)
_EXIM_SIGNS = (b" <= ", b" ** ", b" Completed")
_EXIM_ID = re.compile(rb" id=(\S+)")

_TEXT_MAX = 300


@dataclass(frozen=True, slots=True)
class LoggedBounce:
    """A mail that our server gave up. `email` is whom it could not be delivered to, '' where not told."""

    message_id: str
    email: str
    status: str
    text: str


@dataclass(slots=True)
class Joiner:
    """Puts lines about one mail together, whatever file they stand in.

    `wanted` says which Message-IDs to look for, ours or not. What is found is told to `on_taken` and
    `on_bounced`.
    """

    wanted: Callable[[bytes], bool]
    on_taken: Callable[[str], None]
    on_bounced: Callable[[LoggedBounce], None]
    queue: dict[bytes, str] = field(default_factory=dict)

    def read(self, line: bytes) -> str:
        """Take a line in; return whose it is, 'Postfix' or 'Exim', '' for neither's."""
        if any(sign in line for sign in _POSTFIX_SIGNS) and (found := _TAG.search(line)):
            self._postfix(*found.groups())
            return "Postfix"
        if any(sign in line for sign in _EXIM_SIGNS) and (found := _EXIM.search(line)):
            self._exim(found[1], found[2], found[3] or b"")
            return "Exim"
        if b"postfix/" in line:
            return "Postfix"
        return "Exim" if b" queue run: pid=" in line else ""

    def _postfix(self, daemon: bytes, queue_id: bytes, text: bytes) -> None:
        if daemon == b"cleanup" and text.startswith(b"message-id="):
            self._named(queue_id, text[len(b"message-id=") :].strip())
        elif queue_id not in self.queue:
            return
        elif text.startswith(b"removed"):
            del self.queue[queue_id]
        elif b"(queue active)" in text or _HELD.match(text):
            # Named is not taken: Postfix names a mail before its dot, and logs it active after.
            self.on_taken(self.queue[queue_id])
        elif found := _GIVEN_UP.match(text):
            self._bounced(queue_id, found[1], found[2].decode(), found[3])
        elif _EXPIRED.match(text):
            self._bounced(queue_id, b"", "4.4.7", b"it was too long in the mail server's queue")

    def _exim(self, queue_id: bytes, flag: bytes, text: bytes) -> None:
        if flag == b"<=":
            found = _EXIM_ID.search(text)
            self._named(queue_id, b"<%s>" % found[1].strip(b"<>") if found else b"")
            if queue_id in self.queue:
                self.on_taken(self.queue[queue_id])
        elif queue_id not in self.queue:
            return
        elif flag == b"Completed":
            del self.queue[queue_id]
        else:
            email, _, said = text.partition(b" ")
            codes = statuses_in(said.decode("utf-8", "replace"))
            self._bounced(queue_id, email.rstrip(b":"), codes[0] if codes else "", said)

    def _named(self, queue_id: bytes, message_id: bytes) -> None:
        if self.wanted(message_id):
            self.queue[queue_id] = message_id.decode("ascii", "replace")
        else:
            # Short ids are given again.
            self.queue.pop(queue_id, None)

    def _bounced(self, queue_id: bytes, email: bytes, status: str, said: bytes) -> None:
        text = " ".join(said.decode("utf-8", "replace").split())[:_TEXT_MAX]
        self.on_bounced(LoggedBounce(self.queue[queue_id], email.decode("utf-8", "replace"), status, text))
