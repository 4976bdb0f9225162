"""What somebody leaves, and what comes back if that is taken back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, func, insert, literal, select, update
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.departures import Back, Left
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.base import UTCDateTime
from digest.store.deliveries import DeliveryRow
from digest.store.departures import DepartureRow, departure_of, find_departure
from digest.store.issues import IssueRow
from digest.store.newsletters import NewsletterRow
from digest.store.reader_locks import hold_readers
from digest.store.subscribers import SubscriptionRow, left_at

_LEFT_US = (DeliveryState.SENDING.value, DeliveryState.ACCEPTED.value, DeliveryState.UNKNOWN.value)


def lock_standing(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> tuple[SubscriptionState, datetime | None] | None:
    """Return the state of a subscription and the end of its pause, and keep others from changing them.

    None where there is no such subscription. Its reader is not erased before the end of the transaction.
    """
    hold_readers(session, [subscriber_id])
    row = session.execute(
        select(SubscriptionRow.state, SubscriptionRow.paused_until)
        .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == subscriber_id)
        .with_for_update()
    ).one_or_none()
    return None if row is None else (SubscriptionState(row.state), row.paused_until)


def last_sent(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> int | None:
    """Return the last issue of a newsletter that somebody was sent, None for none."""
    return session.scalar(
        select(func.max(DeliveryRow.issue_id))
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(
            DeliveryRow.subscriber_id == subscriber_id,
            DeliveryRow.state.in_(_LEFT_US),
            IssueRow.newsletter_id == newsletter_id,
        )
    )


def record_departures(
    session: Session, newsletter_id: NewsletterId, who: Select[int], *, now: datetime
) -> None:
    """Keep that all these subscribers are about to leave a newsletter, as a list says: each by itself.

    After which issue is not known.
    """
    columns = "newsletter_id", "subscriber_id", "at", "act", "state_before", "paused_until", "reason", "words"
    tie = SubscriptionRow
    those = select(
        tie.newsletter_id,
        tie.subscriber_id,
        literal(now, UTCDateTime()),
        literal(0),
        tie.state,
        tie.paused_until,
        literal(""),
        literal(""),
    ).where(
        tie.newsletter_id == newsletter_id,
        tie.subscriber_id.in_(who),
        tie.state != SubscriptionState.UNSUBSCRIBED.value,
    )
    session.execute(insert(DepartureRow).from_select(columns, those, include_defaults=False))
    session.execute(
        update(DepartureRow)
        # By the index of readers, a page at a time: nobody else's is 0, but a newsletter's may be a million.
        .where(DepartureRow.subscriber_id.in_(who), DepartureRow.act == 0)
        .values(act=DepartureRow.id)
        .execution_options(synchronize_session=False)
    )


def subscribed_to(session: Session, subscriber_id: SubscriberId) -> dict[NewsletterId, str]:
    """Return the names of all newsletters that a reader has not left, by number.

    What somebody typed their address into and they never confirmed is none: they do not get it.
    """
    rows = session.execute(
        select(NewsletterRow.id, NewsletterRow.name)
        .join(SubscriptionRow, SubscriptionRow.newsletter_id == NewsletterRow.id)
        .where(
            SubscriptionRow.subscriber_id == subscriber_id,
            SubscriptionRow.state.in_([SubscriptionState.ACTIVE.value, SubscriptionState.PAUSED.value]),
        )
        .order_by(NewsletterRow.id)
    )
    return {NewsletterId(number): name for number, name in rows}


def left_together(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> tuple[Left, ...]:
    """Return the newsletters that a reader left in the act of leaving this one, this one first.

    Each with what it becomes if that is taken back now. Nothing where they did not leave this one.
    """
    at = left_at(session, newsletter_id, subscriber_id)
    if at is None:
        return ()
    departure = find_departure(session, newsletter_id, subscriber_id)
    if departure is None:
        return (Left(newsletter_id, at, SubscriptionState.ACTIVE),)
    rows = session.execute(
        select(DepartureRow, SubscriptionRow.changed_at)
        .join(
            SubscriptionRow,
            (SubscriptionRow.newsletter_id == DepartureRow.newsletter_id)
            & (SubscriptionRow.subscriber_id == DepartureRow.subscriber_id),
        )
        .where(
            DepartureRow.subscriber_id == subscriber_id,
            DepartureRow.act == departure.act,
            DepartureRow.undone_at.is_(None),
            SubscriptionRow.state == SubscriptionState.UNSUBSCRIBED.value,
        )
        .order_by(DepartureRow.newsletter_id != newsletter_id, DepartureRow.newsletter_id)
    )
    return tuple(
        Left(NewsletterId(row.newsletter_id), changed_at, *departure_of(row).back_to(now))
        for row, changed_at in rows
    )


def came_back(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> tuple[Back, ...]:
    """Return the newsletters that came back when it was last taken back that this one was left.

    This one first, each as it has stood since. Nothing where that never was, or has been changed.
    """
    mine = DepartureRow.subscriber_id == subscriber_id
    act = session.scalar(
        select(DepartureRow.act)
        .where(mine, DepartureRow.newsletter_id == newsletter_id)
        .order_by(DepartureRow.id.desc())
        .limit(1)
    )
    at = session.scalar(select(func.max(DepartureRow.undone_at)).where(mine, DepartureRow.act == act))
    together = select(DepartureRow.newsletter_id).where(
        mine, DepartureRow.act == act, DepartureRow.undone_at == at
    )
    rows = session.execute(
        select(SubscriptionRow.newsletter_id, SubscriptionRow.state, SubscriptionRow.paused_until)
        .where(
            SubscriptionRow.subscriber_id == subscriber_id,
            SubscriptionRow.newsletter_id.in_(together),
            SubscriptionRow.changed_at == at,
            SubscriptionRow.state != SubscriptionState.UNSUBSCRIBED.value,
        )
        .order_by(SubscriptionRow.newsletter_id != newsletter_id, SubscriptionRow.newsletter_id)
    )
    return tuple(Back(NewsletterId(one), SubscriptionState(state), until) for one, state, until in rows)
