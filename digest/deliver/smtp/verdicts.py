"""What a server's last word on a message says of it."""

from __future__ import annotations

import re

from digest.deliver.smtp.wire import Reply
from digest.domain.deliveries import DeliveryState, Outcome


def outcome_of(reply: Reply, *, is_about_us: bool = False) -> Outcome:
    """Read a final reply: 2xx has accepted, 5xx has refused for good, all else may be tried again.

    So may what is refused because of us and not of the reader: the sender, a log-in that is missing, a
    policy (5.7.x, RFC 3463 §3.8). Once that is mended the mail can go, and nobody's address is to blame.
    """
    if 200 <= reply.code < 300:
        return Outcome(DeliveryState.ACCEPTED, reply.code, reply.text)
    is_about_us |= reply.code in _LOG_IN or _POLICY.match(reply.text) is not None
    if 500 <= reply.code < 600 and not is_about_us:
        return Outcome(DeliveryState.FAILED, reply.code, reply.text)
    return Outcome(DeliveryState.PENDING, reply.code, reply.text)


# RFC 4954 §6: what a server says to those who have not logged in, or not as it wants.
_LOG_IN = frozenset({530, 534, 535, 538})
_POLICY = re.compile(r"5\.7\.\d{1,3}\b")
