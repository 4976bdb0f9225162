"""Unsubscriptions: who left which newsletter after which issue, and why as far as they said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Select, String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.departures import WORDS_MAX, Departure, Departures, Reason
from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.base import Base, BigId, storable


class DepartureRow(Base):
    """Somebody unsubscribed. `issue_id` is the last issue they were sent, None where they were sent none.

    `act` is the number of the first of those that were left by one link. `undone_at` is when the
    subscription was no longer left, by whatever way. It goes with its reader: what they wrote may say who
    they are.
    """

    __tablename__ = "departures"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"), index=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), index=True)
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime]
    act: Mapped[int] = mapped_column(BigId, server_default="0")
    state_before: Mapped[str] = mapped_column(String(16), server_default="active")
    paused_until: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(32), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    undone_at: Mapped[datetime | None]


def record_departure(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    issue_id: int | None = None,
    was: SubscriptionState = SubscriptionState.ACTIVE,
    paused_until: datetime | None = None,
    act: int | None = None,
) -> int:
    """Keep that somebody unsubscribed, after which issue and out of what; return the act.

    None of it begins a new one. What they took back after the same issue goes: whoever leaves and comes back
    a thousand times by one mail leaves one row.
    """
    session.execute(
        delete(DepartureRow)
        .where(
            DepartureRow.newsletter_id == newsletter_id,
            DepartureRow.subscriber_id == subscriber_id,
            DepartureRow.issue_id.is_(None) if issue_id is None else DepartureRow.issue_id == issue_id,
            DepartureRow.undone_at.is_not(None),
        )
        .execution_options(synchronize_session=False)
    )
    row = DepartureRow(
        newsletter_id=newsletter_id,
        subscriber_id=subscriber_id,
        issue_id=issue_id,
        at=now,
        act=act or 0,
        state_before=was.value,
        paused_until=paused_until,
    )
    session.add(row)
    session.flush()
    if act is None:
        row.act = row.id
        session.flush()
    return row.act


def find_departure(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> Departure | None:
    """Return the unsubscription that holds, None where none was kept: before 0047 they were not."""
    row = session.scalar(_open(newsletter_id, subscriber_id))
    return None if row is None else departure_of(row)


def departure_of(row: DepartureRow) -> Departure:
    """Return an unsubscription as it was kept."""
    return Departure(
        row.at,
        Reason(row.reason) if row.reason else None,
        row.words,
        row.act,
        SubscriptionState(row.state_before),
        row.paused_until,
    )


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


def close_departures(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> None:
    """Keep that a reader is here again: they do not count among those who left, and no undo takes it back.

    For whatever moves a subscription out of unsubscribed, in its transaction.
    """
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
