"""Less of something, asked for by a reader: each holds from the next issue on and is ended as easily."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.errors import NotFound
from digest.domain.less import MUTED_FOR
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.domain.topics import TopicSlug
from digest.store import less
from digest.store.database import writing
from digest.store.newsletters import topic_ids
from digest.store.subscribers import subscription_of

log = structlog.get_logger(__name__)


def mute(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    topic: str,
    *,
    now: datetime,
    until: datetime | None = None,
) -> datetime:
    """Let a topic count as not followed until then, None for `MUTED_FOR`; return until when.

    Raises `NotFound`.
    """
    until = until or now + MUTED_FOR
    with writing(engine) as session:
        topic_id = _topic_of(session, newsletter_id, subscriber_id, topic)
        less.mute_topic(session, subscriber_id, topic_id, until=until, now=now)
    log.info("subscriber.muted", subscriber=subscriber_id, newsletter=newsletter_id, topic=topic)
    return until


def unmute(engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId, topic: str) -> None:
    """Let a topic count as followed again. Raises `NotFound`."""
    with writing(engine) as session:
        less.unmute_topic(session, subscriber_id, _topic_of(session, newsletter_id, subscriber_id, topic))


def want_single(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    topic: str,
    *,
    now: datetime,
    is_single: bool = True,
) -> None:
    """Have a mail hold one article of a topic at most, or all of it again. Raises `NotFound`."""
    with writing(engine) as session:
        topic_id = _topic_of(session, newsletter_id, subscriber_id, topic)
        less.set_single(session, subscriber_id, topic_id, is_single=is_single, now=now)


def want_nothing_of(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    source: str,
    *,
    now: datetime,
    is_unwanted: bool = True,
) -> None:
    """Have a mail hold nothing of a source, by the name that it prints, or its articles again.

    Raises `NotFound`.
    """
    with writing(engine) as session:
        _require(session, newsletter_id, subscriber_id)
        less.set_unwanted(session, newsletter_id, subscriber_id, source, is_unwanted=is_unwanted, now=now)


def _topic_of(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, topic: str) -> int:
    _require(session, newsletter_id, subscriber_id)
    found = topic_ids(session, newsletter_id).get(TopicSlug(topic))
    if found is None:
        raise NotFound(f"newsletter {newsletter_id} has no topic '{topic}': it may have been removed since")
    return found


def _require(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> None:
    if subscription_of(session, newsletter_id, subscriber_id) is None:
        raise NotFound(f"subscriber {subscriber_id} of newsletter {newsletter_id} was removed")
