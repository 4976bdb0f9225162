"""A delivery is one issue for one subscriber, and moves through these states only.

The promise: no subscriber gets an issue twice and none is lost silently. Between the dot that ends a
message and the server's answer nobody can know who holds it (RFC 1047), so a delivery is *armed*
(committed as `sending`) before its dot leaves, and one whose answer never came is `unknown`: counted,
shown, and settled by evidence, never by sending again unasked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from digest.domain.subscribers import SubscriberId

DeliveryId = NewType("DeliveryId", int)


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


UNFINISHED = frozenset({DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.SENDING})
"""While a delivery is in one of these, its issue is still being sent."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that one worker holds until its lease ends.

    `fence` grows with every claim: an arm or a result that carries an older one is refused, so a worker
    that slept past its lease can do no harm. `edition` is the key of the edition to send. `addressed_at` is
    since when it is tried: its first attempt, and before that when it was addressed.
    """

    id: DeliveryId
    fence: int
    email: str
    message_id: str
    edition: str
    subscriber_id: SubscriberId
    attempts: int
    addressed_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claimed delivery: its next state, and the server's words.

    `retry_in` is set for `PENDING` alone: how long to wait before the next attempt.
    """

    state: DeliveryState
    code: int | None = None
    text: str = ""
    retry_in: timedelta | None = None


HARD_BOUNCES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""Enhanced codes (RFC 3463) that say the mailbox is not there: such an address is suppressed at once. Not
5.7.x: that is the server refusing *us*."""


SENDER_REFUSED = "the sender is refused"
"""How the words of an outcome begin where MAIL was refused: by its code alone that would read as what the
reader's server says of the reader."""


def is_hard_bounce(outcome: Outcome) -> bool:
    """Return whether the server said for good that there is no such mailbox."""
    return outcome.state is DeliveryState.FAILED and outcome.text.partition(" ")[0] in HARD_BOUNCES


RETRY_FOR = timedelta(hours=72)
"""A delivery that is still deferred after this long has failed (RFC 5321 §4.5.4.1 asks for 4-5 days of an
MTA; a weekly digest is stale sooner). They count from the first attempt: what waited for its reader's own
hour, for ops, for a receiver or for a day of the warm-up was not tried meanwhile."""

RETRY_AT_LEAST = 12
"""Attempts without which no delivery is given up, though it was deferred long ago: after seven the waits are
at their longest, so these take most of a day. Whoever pauses an issue for a weekend, or has no mail server
for three days, would otherwise lose every reader who was deferred before at the next 4xx, which greylisting
says to whom it has not seen for a while."""


def back_off(attempts: int, *, jitter: float) -> timedelta:
    """Return how long to wait after the `attempts`-th temporary failure: 2, 4, 8 … up to 240 minutes.

    Servers that greylist (RFC 6647) want to see the second try after one to five minutes. `jitter` in [0, 1)
    spreads retries over the second half of the wait, so that readers deferred together do not come back
    together.
    """
    minutes = min(240, 2 ** max(1, attempts))
    return timedelta(minutes=minutes * (0.5 + jitter / 2))
