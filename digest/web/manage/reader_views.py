"""Readers in words: a line for each on a list, and how one of them stands."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.pipeline.readers import Known
from digest.web.manage.views import ReaderLine
from digest.web.manage.words import Choice

STATES = (
    Choice("", "in any state"),
    Choice(SubscriptionState.ACTIVE, "active"),
    Choice(SubscriptionState.PAUSED, "paused"),
    Choice(SubscriptionState.PENDING, "not confirmed yet"),
    Choice(SubscriptionState.UNSUBSCRIBED, "unsubscribed"),
)

_STANDINGS = {
    SubscriptionState.ACTIVE: "They get every issue that holds something for them.",
    SubscriptionState.PAUSED: "They paused, and get nothing until they come back.",
    SubscriptionState.PENDING: "They did not confirm yet that it was they who signed up, and get nothing.",
    SubscriptionState.UNSUBSCRIBED: "They unsubscribed, and get nothing.",
}


def reader_lines(readers: Iterable[Subscription]) -> tuple[ReaderLine, ...]:
    """Return readers as lists on these pages show them."""
    return tuple(
        ReaderLine(
            id=one.subscriber.id,
            email=one.subscriber.email,
            name=one.subscriber.name,
            standing="" if one.state is SubscriptionState.ACTIVE else one.state.value,
            follows=", ".join(sorted(one.follows)) or "no topic",
        )
        for one in readers
    )


def standing_of(reader: Known) -> str:
    """Return whether a reader gets anything, in sentences."""
    told = _STANDINGS[reader.subscription.state]
    if reader.subscription.state is SubscriptionState.ACTIVE and not reader.subscription.follows:
        told = "They follow no topic, and get nothing."
    if reader.suppression:
        told += " Their address is on the list of those never mailed."
    return told


def consents_told(reader: Known) -> tuple[tuple[str, str], ...]:
    """Return how a reader came to be one: each act in words, and what they agreed to, '' for not known."""
    return tuple((one.in_words[:1].upper() + one.in_words[1:], one.wording) for one in reader.consents)


def cadences_of(newsletter: Newsletter, reader: Known | None) -> tuple[Choice, ...]:
    """Return how often a reader may want the newsletter: as it offers, and as they have it."""
    offered = dict.fromkeys((*newsletter.cadences, *([reader.subscription.cadence] if reader else [])))
    return tuple(Choice(one, one.in_words) for one in offered)


def query_of(**given: str) -> str:
    """Return the part of an address that asks for the same again, with what is not ''."""
    return urlencode({name: value for name, value in given.items() if value})
