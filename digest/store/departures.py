"""Unsubscriptions: who left which newsletter after which issue, and why as far as they said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Select, String, Text, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.deliveries import DeliveryState
from digest.domain.departures import WORDS_MAX, Departure, Departures, Reason
from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.base import Base, BigId, storable
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow
from digest.store.newsletters import NewsletterRow
from digest.store.subscribers import SubscriptionRow

_LEFT_US = (DeliveryState.SENDING.value, DeliveryState.ACCEPTED.value, DeliveryState.UNKNOWN.value)


class DepartureRow(Base):
    """Somebody unsubscribed. `issue_id` is the last issue they were sent, None where they were sent none.

    It goes with its reader: what they wrote may say who they are.
    """

    __tablename__ = "departures"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"), index=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), index=True)
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(32), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    undone_at: Mapped[datetime | None]


def record_departure(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> None:
    """Keep that somebody unsubscribed, and after which issue."""
    issue_id = _last_sent(session, newsletter_id, subscriber_id)
    session.add(
        DepartureRow(newsletter_id=newsletter_id, subscriber_id=subscriber_id, issue_id=issue_id, at=now)
    )
    session.flush()


def _last_sent(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> int | None:
    return session.scalar(
        select(func.max(DeliveryRow.issue_id))
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(
            DeliveryRow.subscriber_id == subscriber_id,
            DeliveryRow.state.in_(_LEFT_US),
            IssueRow.newsletter_id == newsletter_id,
        )
    )


def find_departure(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> Departure | None:
    """Return the unsubscription that holds, None where none was kept: before 0047 they were not."""
    row = session.scalar(_open(newsletter_id, subscriber_id))
    return None if row is None else Departure(row.at, Reason(row.reason) if row.reason else None, row.words)


def _open(newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> Select[DepartureRow]:
    return (
        select(DepartureRow)
        .where(
            DepartureRow.newsletter_id == newsletter_id,
            DepartureRow.subscriber_id == subscriber_id,
            DepartureRow.undone_at.is_(None),
        )
        .order_by(DepartureRow.id.desc())
        .limit(1)
    )


def say_why(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    reason: Reason | None,
    words: str,
) -> bool:
    """Keep why somebody left, in place of what they said before; return whether they had left."""
    row = session.scalar(_open(newsletter_id, subscriber_id).with_for_update())
    if row is None:
        return False
    row.reason, row.words = reason.value if reason else "", storable(words.strip())[:WORDS_MAX]
    session.flush()
    return True


def left_together(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> tuple[NewsletterId, ...]:
    """Return the newsletters that a reader left with this one in one act, this one first."""
    row = session.scalar(_open(newsletter_id, subscriber_id))
    if row is None:
        return (newsletter_id,)
    others = session.scalars(
        select(DepartureRow.newsletter_id)
        .where(
            DepartureRow.subscriber_id == subscriber_id,
            DepartureRow.at == row.at,
            DepartureRow.undone_at.is_(None),
            DepartureRow.newsletter_id != newsletter_id,
        )
        .order_by(DepartureRow.newsletter_id)
    )
    return (newsletter_id, *map(NewsletterId, others))


def subscribed_to(session: Session, subscriber_id: SubscriberId) -> dict[NewsletterId, str]:
    """Return the names of all newsletters that a reader has not left, by number.

    What somebody typed their address into and they never confirmed is none: to take back that they left it
    would confirm it.
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


def undo_departures(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> None:
    """Keep that a reader came back: they are not counted among those who left any more."""
    session.execute(
        update(DepartureRow)
        .where(
            DepartureRow.newsletter_id == newsletter_id,
            DepartureRow.subscriber_id == subscriber_id,
            DepartureRow.undone_at.is_(None),
        )
        .values(undone_at=now)
        .execution_options(synchronize_session=False)
    )


def departures_after(session: Session, issue_id: IssueId, *, words: int = 50) -> Departures:
    """Return who left after this issue was the last they were sent, with up to so many of their words."""
    left = DepartureRow.issue_id == issue_id, DepartureRow.undone_at.is_(None)
    counts: Sequence[tuple[str, int]] = session.execute(
        select(DepartureRow.reason, func.count()).where(*left).group_by(DepartureRow.reason)
    ).all()
    said = session.scalars(
        select(DepartureRow.words)
        .where(*left, DepartureRow.words != "")
        .order_by(DepartureRow.id.desc())
        .limit(words)
    )
    in_order = sorted(
        ((count, reason) for reason, count in counts if reason), key=lambda one: (-one[0], one[1])
    )
    return Departures(
        sum(count for _, count in counts), {Reason(reason): count for count, reason in in_order}, tuple(said)
    )
