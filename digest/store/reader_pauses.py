"""When readers who paused come back by themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from digest.domain.endpoints import EventKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.announcements import announce
from digest.store.subscribers import SubscriptionRow, standing_told


def set_pause_end(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, until: datetime | None
) -> bool:
    """Set when a pause ends by itself, None for never; return whether the subscription is paused at all."""
    changed = session.scalar(
        update(SubscriptionRow)
        .where(
            SubscriptionRow.newsletter_id == newsletter_id,
            SubscriptionRow.subscriber_id == subscriber_id,
            SubscriptionRow.state == SubscriptionState.PAUSED.value,
        )
        .values(paused_until=until)
        .returning(SubscriptionRow.subscriber_id)
    )
    return changed is not None


def end_pauses(session: Session, *, now: datetime) -> int:
    """Make everybody active again whose pause was to end by now; return how many."""
    ended = session.execute(
        update(SubscriptionRow)
        .where(
            SubscriptionRow.paused_until.is_not(None),
            SubscriptionRow.paused_until <= now,
            SubscriptionRow.state == SubscriptionState.PAUSED.value,
        )
        .values(state=SubscriptionState.ACTIVE.value, changed_at=now, paused_until=None)
        .returning(SubscriptionRow.newsletter_id, SubscriptionRow.subscriber_id)
        .execution_options(synchronize_session=False)
    ).all()
    told = (
        standing_told(NewsletterId(newsletter_id), SubscriberId(who), SubscriptionState.ACTIVE)
        for newsletter_id, who in ended
    )
    announce(session, EventKind.SUBSCRIBER_ACTIVE, *told, now=now)
    return len(ended)
