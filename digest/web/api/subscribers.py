"""Subscribers of a newsletter, and the topics they follow."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from digest.domain.accounts import Right
from digest.domain.cadences import Cadence
from digest.domain.subscribers import Subscription, SubscriptionState, email_key
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.store.subscribers import get_subscription, list_subscriptions, subscription_by_number
from digest.web.api.access import Call, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import Address, Listed, NewsletterName, Number, Told, page, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Subscribers"])


class Subscriber(Told):
    """A subscriber's tie to a newsletter."""

    id: int
    email: str = Field(examples=["ada@example.org"])
    name: str
    language: str = Field(description="What they read, as a BCP 47 tag; '' where nobody said.")
    timezone: str
    state: SubscriptionState
    follows: list[str] = Field(description="The topics they follow, by short name. None: they get no mail.")
    cadence: Cadence
    max_items: int | None = Field(description="Articles in a mail at most; null for all.")

    @classmethod
    def of(cls, one: Subscription) -> Subscriber:
        """Return a subscription as the API tells it."""
        who = one.subscriber
        return cls(
            id=who.id,
            email=who.email,
            name=who.name,
            language=who.language,
            timezone=who.timezone,
            state=one.state,
            follows=sorted(one.follows),
            cadence=one.cadence,
            max_items=one.max_items,
        )


@router.get("/newsletters/{newsletter}/subscribers", **asks(Right.LOOK))
def list_subscribers(
    runtime: TheRuntime,
    newsletter: NewsletterName,
    email: Annotated[Address | None, Query(description="Only who has this address.")] = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Listed[Subscriber]:
    """Return a newsletter's subscribers by address, also those who left."""
    after = read_cursor(cursor, str)
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        if email is not None:
            return whole([get_subscription(session, found.id, email)], Subscriber.of)
        rows = list_subscriptions(session, found.id, limit=limit + 1, after=str(after[0]) if after else "")
    return page(rows, Subscriber.of, limit=limit, key=lambda one: (email_key(one.subscriber.email),))


@router.get("/newsletters/{newsletter}/subscribers/{subscriber_id}", **asks(Right.LOOK))
def show_subscriber(runtime: TheRuntime, newsletter: NewsletterName, subscriber_id: Number) -> Subscriber:
    """Return a subscriber."""
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        return Subscriber.of(subscription_by_number(session, found, subscriber_id))
