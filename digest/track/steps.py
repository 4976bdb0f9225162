"""What subscribers do with the links in their mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlalchemy import Engine

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.database import writing
from digest.store.deliveries import cancel_for_subscriber
from digest.store.subscribers import set_follows, set_subscription_state

log = structlog.get_logger(__name__)


def unsubscribe(
    engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> None:
    """Stop a newsletter for a subscriber. Nothing is armed for them after this has returned."""
    with writing(engine) as session:
        set_subscription_state(session, newsletter_id, subscriber_id, SubscriptionState.UNSUBSCRIBED, now=now)
        cancelled = cancel_for_subscriber(session, newsletter_id, subscriber_id)
    log.info(
        "subscriber.unsubscribed", subscriber=subscriber_id, newsletter=newsletter_id, cancelled=cancelled
    )


def resubscribe(
    engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> None:
    """Take an unsubscription back: the topics followed before are followed again."""
    with writing(engine) as session:
        set_subscription_state(session, newsletter_id, subscriber_id, SubscriptionState.ACTIVE, now=now)
    log.info("subscriber.resubscribed", subscriber=subscriber_id, newsletter=newsletter_id)


def follow(
    engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId, topics: Iterable[TopicSlug]
) -> None:
    """Let a subscriber follow exactly these topics, from the next issue on. Raises `NotFound`."""
    with writing(engine) as session:
        set_follows(session, newsletter_id, subscriber_id, topics)
