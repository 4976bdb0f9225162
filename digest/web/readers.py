"""A subscription as its own reader sees it."""

from __future__ import annotations

from digest.domain.errors import NotFound
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.domain.topics import Topic
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import list_topics, newsletter_by_id
from digest.store.subscribers import subscription_of
from digest.store.suppressions import is_suppressed
from digest.track.tokens import Purpose, SubscriptionLink
from digest.web.archive_views import language_of
from digest.web.views import ReaderView, TopicView


def get_subscription(runtime: Runtime, link: SubscriptionLink) -> Subscription:
    """Return the subscription a link is about. Raises `NotFound` when it was removed since."""
    with reading(runtime.engine) as session:
        found = subscription_of(session, link.newsletter_id, link.subscriber_id)
    if found is None:
        raise NotFound(f"subscriber {link.subscriber_id} of newsletter {link.newsletter_id} was removed")
    return found


def reader_view(runtime: Runtime, link: SubscriptionLink) -> ReaderView:
    """Return the subscription with every topic of its newsletter. Raises `NotFound`."""
    subscription = get_subscription(runtime, link)
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, link.newsletter_id)
        topics = list_topics(session, newsletter.id)
        suppressed = is_suppressed(session, subscription.subscriber.email)
    return ReaderView(
        newsletter=newsletter.name,
        sender=newsletter.sender_email,
        email=subscription.subscriber.email,
        is_unsubscribed=subscription.state is SubscriptionState.UNSUBSCRIBED,
        is_paused=subscription.state is SubscriptionState.PAUSED,
        is_suppressed=suppressed,
        topics=tuple(_choice(topic, subscription) for topic in topics),
        languages=(subscription.subscriber.language, newsletter.language),
        written_in=language_of(newsletter.language, "en"),
        sign_up=newsletter.slug if newsletter.sign_up else "",
        unsubscribe_token=runtime.tokens.sign(Purpose.UNSUBSCRIBE, link.newsletter_id, link.subscriber_id),
    )


def _choice(topic: Topic, subscription: Subscription) -> TopicView:
    return TopicView(topic.slug, topic.name, topic.description, topic.slug in subscription.follows)
