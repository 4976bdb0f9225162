"""What a server's reply says of a message, and of the conversation."""

from __future__ import annotations

import re

from digest.deliver.smtp.wire import Reply
from digest.domain.deliveries import SENDER_REFUSED, DeliveryState, Outcome

CLOSING = 421
"""The server ends the conversation, whatever it was asked (RFC 5321 §3.8): nobody's mail is the reason."""

# RFC 4954 §6: what a server says to those who have not logged in, or not as it wants.
_LOG_IN = frozenset({530, 534, 535, 538})
_POLICY = re.compile(r"5\.7\.\d{1,3}\b")

_TOO_FAST = re.compile(r"4\.7\.\d{1,3}\b")

_TOO_LARGE = 552
"""Said to MAIL with a SIZE (RFC 1870 §6.1); said to RCPT it is a full mailbox."""

_ENOUGH = re.compile(
    r"4\.5\.3\b|too many (?:messages|mails|e-?mails|transactions)|(?:message|transaction) limit",
    re.IGNORECASE,
)


def outcome_of(reply: Reply, *, is_to_mail: bool = False) -> Outcome:
    """Read a final reply: 2xx has accepted, 5xx has refused for good, all else may be tried again.

    So may what is refused because of us and not of the reader: the sender, which MAIL names (`is_to_mail`), a
    log-in that is missing, a policy (5.7.x, RFC 3463 §3.8). Once that is mended the mail can go, and nobody's
    address is to blame. A mail that is too large stays so. Of a sender or a log-in that is refused the text
    says so first: by its code alone it would be taken for what the reader's server thinks of us.
    """
    if 200 <= reply.code < 300:
        return Outcome(DeliveryState.ACCEPTED, reply.code, reply.text)
    is_too_large = is_to_mail and reply.code == _TOO_LARGE
    is_about_us = is_to_mail or reply.code in _LOG_IN or _POLICY.match(reply.text) is not None
    if is_too_large or (500 <= reply.code < 600 and not is_about_us):
        return Outcome(DeliveryState.FAILED, reply.code, reply.text)
    if reply.code in _LOG_IN:
        return Outcome(DeliveryState.PENDING, reply.code, f"a log-in is wanted: {reply.text}")
    if is_to_mail and not _TOO_FAST.match(reply.text) and reply.code != CLOSING:
        return Outcome(DeliveryState.PENDING, reply.code, f"{SENDER_REFUSED}: {reply.text}")
    return Outcome(DeliveryState.PENDING, reply.code, reply.text)


def is_final(reply: Reply) -> bool:
    """Whether this reply to the dot says what became of the mail: no other class does (RFC 5321 §4.2.1)."""
    return reply.code // 100 in (2, 4, 5)


def wants_another(reply: Reply) -> bool:
    """Whether this reply to MAIL may mean no more than that the conversation has lasted long enough.

    So may one that wants a log-in: a token is good for an hour, and the next conversation has a new one.
    """
    has_had_enough = 400 <= reply.code < 500 and _ENOUGH.search(reply.text) is not None
    return reply.code == CLOSING or reply.code in _LOG_IN or has_had_enough
