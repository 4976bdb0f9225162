"""Subscribers, the topics they follow, and why one may get nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from digest.domain.cadences import Cadence
from digest.domain.topics import TopicSlug
from digest.domain.wished import WishedHour, parse_wished_hour

SubscriberId = NewType("SubscriberId", int)


MOST_ITEMS = 200
"""A maximum above that limits nothing: no issue holds more."""


class SubscriptionState(StrEnum):
    """Whether a subscriber wants a newsletter now."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"


class SkipReason(StrEnum):
    """Why a reader in an issue's audience gets no mail."""

    NO_TOPICS = "no_topics"
    NOTHING_FOLLOWED = "nothing_followed"
    SUPPRESSED = "suppressed"
    PAUSED = "paused"
    NOT_DUE = "not_due"
    ALL_SENT = "all_sent"
    OUTSIDE = "outside_segment"
    """The issue is for a segment that they are not in, or leaves one out that they are in."""
    WANTS_LESS = "wants_less"
    """All that this issue has for them is of topics they muted or sources they want nothing of."""
    ALREADY_SENT = "already_sent"
    """They have the issue of these days that was cancelled, or may have it."""

    @property
    def in_words(self) -> str:
        """The reason as ops and editors read it."""
        return _SKIP_WORDS[self]


_SKIP_WORDS = {
    SkipReason.NO_TOPICS: "follows no topic",
    SkipReason.NOTHING_FOLLOWED: "no article in the topics they follow",
    SkipReason.SUPPRESSED: "address is suppressed",
    SkipReason.PAUSED: "paused their subscription",
    SkipReason.NOT_DUE: "not due yet",
    SkipReason.ALL_SENT: "was sent all of it before",
    SkipReason.OUTSIDE: "not among the readers that the issue is for",
    SkipReason.WANTS_LESS: "muted or left out all of it",
    SkipReason.ALREADY_SENT: "got the cancelled issue of the same days",
}


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person by their address. `email` is as they gave it, with its domain in ASCII."""

    id: SubscriberId
    email: str
    name: str = ""
    language: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class ReaderAddress:
    """The address a reader has; `moved_at` is when they got it in place of another, None for their first."""

    email: str
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber's tie to one newsletter, the topics of it they follow, how often and how much they want.

    `max_items` is how many articles one mail may hold, None for all. `send_at` is the day and hour they want
    it at, as `WishedHour` is written; `text_only` asks for mail without HTML. Who paused comes back at
    `paused_until`, or when they say so.
    """

    subscriber: Subscriber
    state: SubscriptionState
    follows: frozenset[TopicSlug]
    cadence: Cadence = Cadence.EVERY
    max_items: int | None = None
    send_at: str = ""
    text_only: bool = False
    paused_until: datetime | None = None

    @property
    def wished(self) -> WishedHour:
        """The day and hour at which they want their mail."""
        return parse_wished_hour(self.send_at)


def email_key(email: str) -> str:
    """Return what two spellings of one mailbox share: the address in lower case.

    RFC 5321 §2.4 lets a server tell local parts apart by case; in practice none does, and two mails
    to one person are worse than one too few.
    """
    return email.strip().lower()
