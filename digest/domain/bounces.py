"""What a mail server's refusal says about a reader: the one place for the rule.

The same codes (RFC 3463) come in a conversation and, days later, in a report. What is refused because of us
must never be held against a reader: their servers would rob us of them for our own failure.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

from digest.domain.deliveries import (
    HARD_BOUNCES,
    RETRY_FOR,
    SENDER_REFUSED,
    DeliveryState,
    Outcome,
    is_hard_bounce,
)

SOFT_ISSUES_MAX = 3
"""So many issues in a row that came back soft pause a subscription."""

SOFT_AFTER = RETRY_FOR
"""A mail that another server still holds after this long counts as one soft bounce."""


class Meaning(StrEnum):
    """What something that came back says of the reader it went to."""

    GONE = "gone"
    """There is no such mailbox: never mail it again."""
    COMPLAINT = "complaint"
    """The reader called it spam: never mail them again."""
    UNSUBSCRIBED = "unsubscribed"
    """The reader took the provider's or their mail program's way out of the newsletter."""
    SOFT = "soft"
    """This issue did not arrive; the next may."""
    REFUSES_US = "refuses_us"
    """A policy, a reputation, a signature, a sender: it is about us, and for ops to mend."""
    ABOUT_MAIL = "about_mail"
    """Too large, or not to their server's taste: another mail may arrive."""
    DELAYED = "delayed"
    """Still under way."""
    NOTHING = "nothing"
    """An absence, a receipt, a success: nothing to do."""
    UNKNOWN = "unknown"
    """What it says, or whom it is about, cannot be told: nothing is changed."""

    @property
    def in_words(self) -> str:
        """The meaning as ops read it."""
        return _WORDS[self]


_WORDS = {
    Meaning.GONE: "no such mailbox",
    Meaning.COMPLAINT: "complained of spam",
    Meaning.UNSUBSCRIBED: "unsubscribed",
    Meaning.SOFT: "did not arrive this time",
    Meaning.REFUSES_US: "their server refuses us",
    Meaning.ABOUT_MAIL: "their server did not take this mail",
    Meaning.DELAYED: "still under way",
    Meaning.NOTHING: "nothing to do",
    Meaning.UNKNOWN: "cannot be told",
}

# Not part of an address such as 5.1.1.10, which servers like to name.
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")

_ABOUT_US = re.compile(r"[45]\.(7\.\d+|1\.[78])")
"""Security and policy, and a sender's address that was refused (RFC 3463 §3.2, §3.8)."""

_ABOUT_MAIL = re.compile(r"[45]\.([56]\.\d+|3\.4|2\.3)")
"""The protocol, the content, and mails that are too large (RFC 3463 §3.3, §3.4, §3.6, §3.7)."""

# RFC 4954 §6: what a server says to those who have not logged in, or not as it wants.
_LOG_IN = frozenset({530, 534, 535, 538})


def statuses_in(text: str) -> tuple[str, ...]:
    """Return the enhanced status codes that stand in a server's words, in their order."""
    return tuple(_STATUS.findall(text))


def is_about_us(status: str) -> bool:
    """Return whether a status code says that the sender was refused, not the reader."""
    return _ABOUT_US.fullmatch(status) is not None


def meaning_of_status(status: str) -> Meaning:
    """Return what the status of a final failure says; '' and codes without a detail count as soft."""
    if is_about_us(status):
        return Meaning.REFUSES_US
    if status in HARD_BOUNCES:
        return Meaning.GONE
    if _ABOUT_MAIL.fullmatch(status):
        return Meaning.ABOUT_MAIL
    return Meaning.NOTHING if status.startswith("2") else Meaning.SOFT


def meaning_of_delay(waited: timedelta) -> Meaning:
    """Return what it says that another server still tries to deliver a mail it took so long ago."""
    return Meaning.SOFT if waited >= SOFT_AFTER else Meaning.DELAYED


def meaning_of_outcome(outcome: Outcome) -> Meaning:
    """Return what became clear of the reader in a conversation with a mail server.

    Only a failure for good says anything, and only where a server was reached that gave a code.
    """
    if is_hard_bounce(outcome):
        return Meaning.GONE
    if outcome.state is not DeliveryState.FAILED or outcome.code is None:
        return Meaning.NOTHING
    if outcome.code in _LOG_IN or SENDER_REFUSED in outcome.text:
        return Meaning.REFUSES_US
    found = statuses_in(outcome.text)
    meaning = meaning_of_status(found[0] if found else "")
    # The hard codes count where a reply begins with them; further on they may be a quotation.
    return Meaning.SOFT if meaning is Meaning.GONE else meaning
