"""Deliveries: one issue for one subscriber, moved between states by conditional updates only.

Every change names the state it leaves, so whoever comes late or twice changes nothing. What a worker does
with a delivery is in `claims.py`; `digest/domain/deliveries.py` has the states and the promise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Index,
    String,
    Text,
    UniqueConstraint,
    exists,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.addressing import Skip
from digest.domain.deliveries import UNFINISHED, DeliveryState
from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SkipReason, SubscriberId
from digest.store.audiences import PAGE, EditionRow, SkipRow
from digest.store.base import Base, BigId
from digest.store.bulk import as_stored, insert_rows
from digest.store.issues import IssueRow
from digest.store.subscribers import SubscriberRow

_PENDING = text("state = 'pending'")
_LEASED = text("state IN ('claimed', 'sending')")


class DeliveryRow(Base):
    """One issue for one subscriber.

    The partial indexes hold only the rows that workers look for, so they stay small while a million
    settled deliveries pile up beside them. Issue, subscriber and edition have no foreign key: the rows are
    written in bulk from those very tables, and each key would be checked a million times, which takes
    PostgreSQL 5 µs. `remove_newsletter` removes them.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        UniqueConstraint("issue_id", "email_key"),
        Index("ix_deliveries_due", "issue_id", "next_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_deliveries_leased", "lease_until", sqlite_where=_LEASED, postgresql_where=_LEASED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    issue_id: Mapped[int]
    subscriber_id: Mapped[int] = mapped_column(index=True)
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320))
    message_id: Mapped[str] = mapped_column(String(250), unique=True)
    edition_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str | None] = mapped_column(String(120))
    fence: Mapped[int]
    lease_until: Mapped[datetime | None]
    next_at: Mapped[datetime]
    attempts: Mapped[int]
    smtp_code: Mapped[int | None]
    smtp_text: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    armed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class NewDelivery(NamedTuple):
    """A delivery before it has an id. A tuple, as a million of these are made.

    `next_at` is when it may leave at the earliest, `as_stored`; None: at once.
    """

    subscriber_id: SubscriberId
    email: str
    email_key: str
    message_id: str
    edition_id: int
    next_at: object = None


def add_deliveries(
    session: Session, issue_id: IssueId, deliveries: Iterable[NewDelivery], *, now: datetime
) -> None:
    """Store pending deliveries of an issue."""
    created_at = as_stored(session, now)
    same = (issue_id, DeliveryState.PENDING.value, 0, 0, created_at)
    rows = [same + (new if new.next_at else new._replace(next_at=created_at)) for new in deliveries]
    insert_rows(session, DeliveryRow, _NEW, rows)


_NEW = ("issue_id", "state", "fence", "attempts", "created_at", *NewDelivery._fields)


def cancel_for_subscriber(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> int:
    """Cancel what a subscriber would still get of a newsletter; return how many. What is armed goes out."""
    of_newsletter = select(IssueRow.id).where(IssueRow.newsletter_id == newsletter_id)
    return _cancel(
        session, DeliveryRow.subscriber_id == subscriber_id, DeliveryRow.issue_id.in_(of_newsletter)
    )


def cancel_for_issue(session: Session, issue_id: IssueId) -> int:
    """Cancel what is still to be sent of an issue; return how many. What is armed goes out."""
    return _cancel(session, DeliveryRow.issue_id == issue_id)


def _cancel(session: Session, *which: ColumnElement[bool]) -> int:
    open_states = (DeliveryState.PENDING.value, DeliveryState.CLAIMED.value)
    result = session.connection().execute(
        update(DeliveryRow)
        .where(*which, DeliveryRow.state.in_(open_states))
        .values(state=DeliveryState.CANCELLED, owner=None, lease_until=None)
    )
    return result.rowcount


def settle_unknown(
    session: Session, issue_id: IssueId, *, accepted: Collection[str], absent_are_pending: bool, now: datetime
) -> tuple[int, int]:
    """Settle unknown deliveries by evidence: the Message-IDs that the server `accepted`.

    With `absent_are_pending`, the evidence covers everything the server took, so an unknown delivery
    that is not in it was never accepted and may be sent again (of a cancelled issue: is cancelled).
    Returns how many became accepted, pending.
    """
    unknown = session.execute(
        select(DeliveryRow.id, DeliveryRow.message_id).where(
            DeliveryRow.issue_id == issue_id, DeliveryRow.state == DeliveryState.UNKNOWN
        )
    ).all()
    there = [row.id for row in unknown if row.message_id in accepted]
    absent = [row.id for row in unknown if row.message_id not in accepted] if absent_are_pending else []
    is_over = session.scalar(select(IssueRow.state).where(IssueRow.id == issue_id)) == IssueState.CANCELLED
    _move_unknown(session, there, DeliveryState.ACCEPTED, now=now)
    _move_unknown(session, absent, DeliveryState.CANCELLED if is_over else DeliveryState.PENDING, now=now)
    return len(there), 0 if is_over else len(absent)


def _move_unknown(session: Session, ids: Sequence[int], to: DeliveryState, *, now: datetime) -> None:
    # The fence grows here too, so an answer that comes later than the evidence changes nothing.
    for first in range(0, len(ids), PAGE):
        session.connection().execute(
            update(DeliveryRow)
            .where(DeliveryRow.id.in_(ids[first : first + PAGE]), DeliveryRow.state == DeliveryState.UNKNOWN)
            .values(state=to, fence=DeliveryRow.fence + 1, next_at=now, settled_at=now, owner=None)
        )


def count_by_edition(session: Session, issue_id: IssueId) -> dict[str, int]:
    """Return how many readers an issue was addressed to in each edition, by the editions' keys."""
    rows = session.execute(
        select(EditionRow.key, func.count())
        .join(DeliveryRow, DeliveryRow.edition_id == EditionRow.id)
        .where(DeliveryRow.issue_id == issue_id)
        .group_by(EditionRow.id, EditionRow.key)
    )
    return dict(rows.all())


def count_deliveries(session: Session, issue_id: IssueId) -> Mapping[DeliveryState, int]:
    """Return how many deliveries of the issue are in each state, zero where there is none."""
    rows = session.execute(
        select(DeliveryRow.state, func.count())
        .where(DeliveryRow.issue_id == issue_id)
        .group_by(DeliveryRow.state)
    )
    found = {DeliveryState(state): count for state, count in rows}
    return {state: found.get(state, 0) for state in DeliveryState}


def is_unfinished(session: Session, issue_id: IssueId) -> bool:
    """Return whether any delivery of the issue is still to be sent or being sent."""
    query = exists().where(DeliveryRow.issue_id == issue_id, DeliveryRow.state.in_(UNFINISHED))
    return bool(session.scalar(select(query)))


def find_delivery(session: Session, issue_id: IssueId, subscriber_id: SubscriberId) -> DeliveryRow | None:
    """Return the subscriber's delivery of the issue, or None when they were not addressed."""
    return session.scalar(
        select(DeliveryRow).where(
            DeliveryRow.issue_id == issue_id, DeliveryRow.subscriber_id == subscriber_id
        )
    )


def edition_key_of(session: Session, delivery: DeliveryRow) -> str:
    """Return the key of the edition a delivery carries."""
    return session.scalars(select(EditionRow.key).where(EditionRow.id == delivery.edition_id)).one()


def planned_deliveries(session: Session, issue_id: IssueId) -> Iterator[tuple[str, str]]:
    """Yield each addressed reader's address and the key of their edition, by address."""
    yield from session.execute(
        select(DeliveryRow.email, EditionRow.key)
        .join(EditionRow, EditionRow.id == DeliveryRow.edition_id)
        .where(DeliveryRow.issue_id == issue_id)
        .order_by(DeliveryRow.email_key),
        execution_options={"yield_per": PAGE},
    )


def planned_skips(session: Session, issue_id: IssueId) -> Iterator[tuple[str, Skip]]:
    """Yield each skipped reader's address and the reason, by address."""
    rows = session.execute(
        select(SubscriberRow.email, SkipRow.reason, SkipRow.until)
        .join(SubscriberRow, SubscriberRow.id == SkipRow.subscriber_id)
        .where(SkipRow.issue_id == issue_id)
        .order_by(SubscriberRow.email_key),
        execution_options={"yield_per": PAGE},
    )
    for email, reason, until in rows:
        yield email, Skip(SkipReason(reason), until)
