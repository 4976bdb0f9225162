"""How long one conversation may last: by what we want, and by what the server says it takes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

IDLE_SECONDS = 30.0
"""A conversation in which nothing was said for so long is not gone on with: some servers end it soon."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a conversation is ended, in good order, and another begins: after so many messages, or seconds.

    It spreads load over what stands behind a name, and has changes of DNS and certificates noticed.
    """

    messages: int = 500
    seconds: float = 300.0


USUAL = Limits()


class Lasting:
    """How much of a conversation's limits is left."""

    def __init__(
        self, limits: Limits, offers: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        # Up to a fifth less: conversations that began together shall not all end together.
        wanted = limits.messages - random.randrange(limits.messages // 5 + 1)
        self._left = min(wanted, _mail_max(offers) or wanted)
        self._clock = clock
        self._heard_at = clock()
        self._ends_at = self._heard_at + limits.seconds

    @property
    def is_over(self) -> bool:
        """Whether no other message is to be sent."""
        now = self._clock()
        return self._left <= 0 or now >= self._ends_at or now - self._heard_at >= IDLE_SECONDS

    def count(self) -> None:
        """Take note of one message."""
        self._left -= 1

    def heard(self) -> None:
        """Take note that the server has answered."""
        self._heard_at = self._clock()

    def end(self) -> None:
        """Have no other message sent."""
        self._left = 0


def _mail_max(offers: Mapping[str, str]) -> int:
    """Return how many messages the server takes in a conversation (RFC 9422 §4.1), 0 when it does not say."""
    for word in offers.get("LIMITS", "").upper().split():
        name, _, value = word.partition("=")
        if name == "MAILMAX" and value.isascii() and value.isdecimal() and len(value) <= 6:
            return int(value)
    return 0


def largest(offers: Mapping[str, str]) -> int:
    """Return the octets of the largest message the server takes (RFC 1870 §4), 0 when it does not say."""
    value = offers.get("SIZE", "").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 20 else 0
