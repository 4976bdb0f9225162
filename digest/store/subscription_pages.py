"""Subscriptions of a newsletter a page at a time, each with the topics that are followed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, Subscription, SubscriptionState
from digest.store.newsletters import TopicRow
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow, as_subscription


def list_subscriptions(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    limit: int,
    after: int = 0,
    state: SubscriptionState | None = None,
    fits: ColumnElement[bool] | None = None,
) -> tuple[Subscription, ...]:
    """Return up to `limit` subscriptions in the order readers came in, those after the number `after`.

    With `state` those in it alone, and with `fits` those whom that condition fits. By address, as people read
    lists, there is `reader_page`.
    """
    page = (
        select(SubscriberRow, SubscriptionRow)
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id > after)
        .order_by(SubscriptionRow.subscriber_id)
        .limit(limit)
    )
    if state is not None:
        page = page.where(SubscriptionRow.state == state)
    if fits is not None:
        page = page.where(fits)
    # A subquery, as a list of all may have more numbers than a statement takes.
    return _with_follows(session, newsletter_id, page, page.with_only_columns(SubscriberRow.id))


def subscriptions_among(
    session: Session, newsletter_id: NewsletterId, ids: Collection[SubscriberId]
) -> tuple[Subscription, ...]:
    """Return the subscriptions of a page of subscribers, by number."""
    page = (
        select(SubscriberRow, SubscriptionRow)
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id.in_(ids))
        .order_by(SubscriberRow.id)
    )
    return _with_follows(session, newsletter_id, page, ids)


def _with_follows(
    session: Session,
    newsletter_id: NewsletterId,
    page: Select[SubscriberRow, SubscriptionRow],
    ids: Collection[SubscriberId] | Select[int],
) -> tuple[Subscription, ...]:
    follows: dict[int, set[str]] = defaultdict(set)
    for subscriber_id, slug in session.execute(
        select(FollowRow.subscriber_id, TopicRow.slug)
        .join(TopicRow, FollowRow.topic_id == TopicRow.id)
        .where(
            FollowRow.subscriber_id.in_(ids),
            TopicRow.newsletter_id == newsletter_id,
            ~TopicRow.is_removed,
        )
    ):
        follows[subscriber_id].add(slug)
    return tuple(as_subscription(row, tie, follows[row.id]) for row, tie in session.execute(page))
