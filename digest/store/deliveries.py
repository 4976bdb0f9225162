"""Deliveries: one issue for one subscriber, moved between states by conditional updates only.

Every change names the state it leaves, so whoever comes late or twice changes nothing. What a worker does
with a delivery is in `claims.py`; `digest/domain/deliveries.py` has the states and the promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    literal_column,
    select,
    text,
    union_all,
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
_BY_HTTP = text("smtp_code < 220")
"""Accepted by a provider over HTTP, whose name for the mail `smtp_text` is; SMTP accepts with 250."""

_SETTLED = text("state IN ('accepted', 'failed')")
_UNSENT = text("state IN ('failed', 'unknown', 'cancelled')")


class DeliveryRow(Base):
    """One issue for one subscriber.

    The partial indexes hold only the rows that workers look for, so they stay small while a million
    settled deliveries pile up beside them. Issue, subscriber and edition have no foreign key: the rows are
    written in bulk from those very tables, and each key would be checked a million times, which takes
    PostgreSQL 5 µs. `remove_newsletter` removes them. `created_at` is since when it is tried: its first
    attempt that came to nothing, and before that when it was addressed.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        UniqueConstraint("issue_id", "email_key"),
        Index("ix_deliveries_due", "issue_id", "next_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_deliveries_leased", "lease_until", sqlite_where=_LEASED, postgresql_where=_LEASED),
        Index("ix_deliveries_provider_name", "smtp_text", sqlite_where=_BY_HTTP, postgresql_where=_BY_HTTP),
        # The rate of a send and the share that fails are counted while it goes on.
        Index(
            "ix_deliveries_settled",
            "issue_id",
            "settled_at",
            sqlite_where=_SETTLED,
            postgresql_where=_SETTLED,
        ),
        Index(
            "ix_deliveries_unsent",
            "issue_id",
            "state",
            "settled_at",
            sqlite_where=_UNSENT,
            postgresql_where=_UNSENT,
        ),
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


def _is_in(*states: DeliveryState) -> ColumnElement[bool]:
    """Return the condition of a partial index, written out as there: neither could be used otherwise."""
    return DeliveryRow.state.in_([literal_column(f"'{state}'") for state in states])


IS_PENDING = DeliveryRow.state == literal_column("'pending'")
IS_SETTLED = _is_in(DeliveryState.ACCEPTED, DeliveryState.FAILED)
IS_UNSENT = _is_in(DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED)
IS_LEASED = _is_in(DeliveryState.CLAIMED, DeliveryState.SENDING)

_MAY_HAVE_ARRIVED = (DeliveryState.SENDING, DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)
"""Where somebody may have read a mail: its dot has left, and no server said no."""


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


def cancel_for_issue(session: Session, issue_id: IssueId, *, limit: int | None = None) -> int:
    """Cancel what is still to be sent of an issue; return how many. What is armed goes out.

    With a `limit` so many of those that nobody has claimed, and none means that no more are. What somebody is
    changing at this moment is let be: workers give back what they hold as soon as an issue is cancelled, all
    at once and in their own order, and of two that wait for each other's rows one is ended. Workers
    cancel it themselves, and a sweep strikes off the rest.
    """
    which = _is_in(DeliveryState.PENDING, DeliveryState.CLAIMED) if limit is None else IS_PENDING
    some = (
        select(DeliveryRow.id)
        .where(DeliveryRow.issue_id == issue_id, which)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return _cancel(session, DeliveryRow.id.in_(some))


def cancelled_but_pending(session: Session) -> tuple[IssueId, ...]:
    """Return the cancelled issues of which a delivery waits all the same: nobody would ever send it."""
    return _pending_all_the_same(session, IssueRow.state == IssueState.CANCELLED)


def sent_but_pending(session: Session, *, since: datetime) -> tuple[IssueId, ...]:
    """Return the issues sent after `since` of which a delivery waits all the same: nobody would ever send it.

    An issue is sent when the last deliveries are of unknown outcome, and a worker that stood still may yet
    hear that a server did not take one of them.
    """
    return _pending_all_the_same(session, IssueRow.state == IssueState.SENT, IssueRow.ended_at > since)


def _pending_all_the_same(session: Session, *of: ColumnElement[bool]) -> tuple[IssueId, ...]:
    # Looked up issue by issue, as a scalar is: a join would read all that waits of all issues.
    first = (
        select(DeliveryRow.id)
        .where(DeliveryRow.issue_id == IssueRow.id, IS_PENDING)
        .limit(1)
        .correlate(IssueRow)
        .scalar_subquery()
    )
    over = select(IssueRow.id).where(*of, first.is_not(None)).order_by(IssueRow.id)
    return tuple(map(IssueId, session.scalars(over)))


def _cancel(session: Session, *which: ColumnElement[bool]) -> int:
    open_states = (DeliveryState.PENDING.value, DeliveryState.CLAIMED.value)
    result = session.connection().execute(
        update(DeliveryRow)
        .where(*which, DeliveryRow.state.in_(open_states))
        .values(state=DeliveryState.CANCELLED, owner=None, lease_until=None)
    )
    return result.rowcount


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
    """Return how many deliveries of the issue are in each state, zero where there is none.

    Counted by the partial indexes: of a million that takes SQLite 0.15 s, where to read them took 0.9.
    """
    of_issue = DeliveryRow.issue_id == issue_id
    pending = select(DeliveryRow.state, func.count()).where(of_issue, IS_PENDING)
    # Reckoned with, the number of the issue does not lead SQLite to read all deliveries of the issue.
    leased = select(DeliveryRow.state, func.count()).where(DeliveryRow.issue_id + 0 == issue_id, IS_LEASED)
    unsent = select(DeliveryRow.state, func.count()).where(of_issue, IS_UNSENT)
    parts = union_all(*(part.group_by(DeliveryRow.state) for part in (pending, leased, unsent)))
    found = {DeliveryState(state): count for state, count in session.execute(parts)}
    settled = session.scalar(select(func.count()).where(of_issue, IS_SETTLED)) or 0
    found[DeliveryState.ACCEPTED] = settled - found.get(DeliveryState.FAILED, 0)
    return {state: found.get(state, 0) for state in DeliveryState}


def count_unsent(session: Session, issue_id: IssueId) -> Mapping[DeliveryState, int]:
    """Return how many deliveries of an issue that has ended had no good end; the good ones are not counted.

    Those a million readers got would take 0.15 s for each issue of a list.
    """
    query = select(DeliveryRow.state, func.count()).where(DeliveryRow.issue_id == issue_id, IS_UNSENT)
    rows = session.execute(query.group_by(DeliveryRow.state))
    return {DeliveryState(state): count for state, count in rows}


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


def find_sent(session: Session, issue_id: IssueId, subscriber_id: SubscriberId) -> DeliveryRow | None:
    """Return the subscriber's delivery of the issue, or None when none can have reached them."""
    found = find_delivery(session, issue_id, subscriber_id)
    return found if found and found.state in _MAY_HAVE_ARRIVED else None


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
