"""Deliveries: one issue for one subscriber, moved between states by conditional updates only.

Every change names the state it leaves, and those of a worker the fence it was given, so whoever comes
late or twice changes nothing. `digest/domain/deliveries.py` has the states and the promise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.deliveries import UNFINISHED, Claim, DeliveryId, DeliveryState, Outcome
from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SkipReason, SubscriberId, SubscriptionState
from digest.store.audiences import PAGE, EditionRow, SkipRow, edition_keys
from digest.store.base import Base, BigId, storable
from digest.store.issues import IssueRow
from digest.store.subscribers import SubscriberRow, SubscriptionRow, SuppressionRow

_PENDING = text("state = 'pending'")
_LEASED = text("state IN ('claimed', 'sending')")


class DeliveryRow(Base):
    """One issue for one subscriber.

    The partial indexes hold only the rows that workers look for, so they stay small while a million
    settled deliveries pile up beside them. Subscriber and edition have no foreign key: the rows are
    written in bulk from those very tables, and each key would be checked a million times.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        UniqueConstraint("issue_id", "email_key"),
        Index("ix_deliveries_due", "issue_id", "next_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_deliveries_leased", "lease_until", sqlite_where=_LEASED, postgresql_where=_LEASED),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
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


_IN_HAND = (DeliveryState.CLAIMED, DeliveryState.SENDING)
# Written out as in the partial indexes: with the states as parameters, neither database could know that such
# an index holds the rows that are asked for.
_IS_PENDING = DeliveryRow.state == literal_column("'pending'")
_IS_LEASED = DeliveryRow.state.in_([literal_column("'claimed'"), literal_column("'sending'")])


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery before it has an id."""

    subscriber_id: SubscriberId
    email: str
    email_key: str
    message_id: str
    edition_id: int


def add_deliveries(
    session: Session, issue_id: IssueId, deliveries: Sequence[NewDelivery], *, now: datetime
) -> None:
    """Store pending deliveries of an issue, due now."""
    if not deliveries:
        return
    session.connection().execute(
        insert(DeliveryRow),
        [
            {
                "issue_id": issue_id,
                "subscriber_id": new.subscriber_id,
                "email": new.email,
                "email_key": new.email_key,
                "message_id": new.message_id,
                "edition_id": new.edition_id,
                "state": DeliveryState.PENDING.value,
                "fence": 0,
                "next_at": now,
                "attempts": 0,
                "created_at": now,
            }
            for new in deliveries
        ],
    )


def claim_deliveries(
    session: Session, issue_id: IssueId, *, owner: str, limit: int, now: datetime, lease_until: datetime
) -> tuple[Claim, ...]:
    """Take up to `limit` due deliveries of a sending issue for `owner`. Empty: nothing is due."""
    # A WITH is run once; a subquery may be run again for each row, and lock more than it was asked for.
    due = (
        select(DeliveryRow.id)
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(
            DeliveryRow.issue_id == issue_id,
            _IS_PENDING,
            DeliveryRow.next_at <= now,
            IssueRow.state == IssueState.SENDING,
        )
        .order_by(DeliveryRow.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=DeliveryRow)
        .cte("due")
    )
    rows = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(select(due.c.id)))
        .values(
            state=DeliveryState.CLAIMED, owner=owner, fence=DeliveryRow.fence + 1, lease_until=lease_until
        )
        .returning(
            DeliveryRow.id,
            DeliveryRow.fence,
            DeliveryRow.email,
            DeliveryRow.message_id,
            DeliveryRow.edition_id,
            DeliveryRow.subscriber_id,
            DeliveryRow.attempts,
            DeliveryRow.created_at,
        )
        .execution_options(synchronize_session=False)
    ).all()
    keys = edition_keys(session, {row.edition_id for row in rows})
    return tuple(
        Claim(
            DeliveryId(row.id),
            row.fence,
            row.email,
            row.message_id,
            keys[row.edition_id],
            SubscriberId(row.subscriber_id),
            row.attempts,
            row.created_at,
        )
        for row in rows
    )


_IS_SUBSCRIBED = (
    exists()
    .where(
        IssueRow.id == DeliveryRow.issue_id,
        SubscriptionRow.newsletter_id == IssueRow.newsletter_id,
        SubscriptionRow.subscriber_id == DeliveryRow.subscriber_id,
        SubscriptionRow.state == SubscriptionState.ACTIVE,
    )
    .correlate(DeliveryRow)
)
_IS_SUPPRESSED = exists().where(SuppressionRow.email_key == DeliveryRow.email_key).correlate(DeliveryRow)


def _issue_is(state: IssueState) -> ColumnElement[bool]:
    return exists().where(IssueRow.id == DeliveryRow.issue_id, IssueRow.state == state).correlate(DeliveryRow)


_IS_SENDING, _IS_CANCELLED = _issue_is(IssueState.SENDING), _issue_is(IssueState.CANCELLED)


def arm_deliveries(
    session: Session, claims: Sequence[Claim], *, owner: str, now: datetime
) -> frozenset[DeliveryId]:
    """Commit `owner` to sending these; return those whose dot may leave.

    The others were taken over, unsubscribed or suppressed since the claim, or their issue is no longer
    being sent: theirs must not. Asking again after a commit whose outcome was lost gives the same answer.
    """
    armed = session.scalars(
        update(DeliveryRow)
        .where(
            _held(claims, owner),
            DeliveryRow.state.in_(_IN_HAND),
            _IS_SENDING,
            _IS_SUBSCRIBED,
            ~_IS_SUPPRESSED,
        )
        .values(state=DeliveryState.SENDING, armed_at=now)
        .returning(DeliveryRow.id)
        .execution_options(synchronize_session=False)
    )
    return frozenset(map(DeliveryId, armed))


def return_claims(session: Session, claims: Sequence[Claim], *, owner: str) -> None:
    """Give back claims that were not armed: pending again, or cancelled.

    They are cancelled where the reader left or the issue was cancelled since they were claimed.
    """
    session.connection().execute(
        update(DeliveryRow)
        .where(_held(claims, owner), DeliveryRow.state == DeliveryState.CLAIMED)
        .values(
            state=case(
                (_IS_SUBSCRIBED & ~_IS_SUPPRESSED & ~_IS_CANCELLED, DeliveryState.PENDING.value),
                else_=DeliveryState.CANCELLED.value,
            ),
            owner=None,
            lease_until=None,
        )
    )


def _held(claims: Sequence[Claim], owner: str) -> ColumnElement[bool]:
    keys = [(claim.id, claim.fence) for claim in claims]
    return and_(tuple_(DeliveryRow.id, DeliveryRow.fence).in_(keys), DeliveryRow.owner == owner)


def settle_deliveries(session: Session, settled: Sequence[tuple[Claim, Outcome]], *, now: datetime) -> int:
    """Record what became of claimed deliveries; return how many still were the claim's to settle.

    A late answer settles an `unknown` too: the fence shows that nobody has taken the delivery since.
    """
    # Spelled out: an IN cannot be run for many rows at once.
    is_open = or_(*(DeliveryRow.state == state.value for state in (*_IN_HAND, DeliveryState.UNKNOWN)))
    statement = (
        update(DeliveryRow)
        .where(DeliveryRow.id == bindparam("b_id"), DeliveryRow.fence == bindparam("b_fence"), is_open)
        .values(
            state=bindparam("b_state"),
            smtp_code=bindparam("b_code"),
            smtp_text=bindparam("b_text"),
            attempts=DeliveryRow.attempts + 1,
            next_at=bindparam("b_next_at"),
            settled_at=now,
            owner=None,
            lease_until=None,
        )
    )
    # On the connection, not the session: the ORM would split this into one statement a row.
    result = session.connection().execute(
        statement,
        [
            {
                "b_id": claim.id,
                "b_fence": claim.fence,
                "b_state": outcome.state.value,
                "b_code": outcome.code,
                "b_text": storable(outcome.text)[:500],
                "b_next_at": now if outcome.retry_in is None else now + outcome.retry_in,
            }
            for claim, outcome in settled
        ],
    )
    return result.rowcount


def lease_owners(session: Session) -> frozenset[str]:
    """Return everybody who holds a delivery now."""
    held = select(DeliveryRow.owner).where(_IS_LEASED).distinct()
    return frozenset(owner for owner in session.scalars(held) if owner is not None)


def reap_leases(session: Session, *, now: datetime, dead: Collection[str] = ()) -> tuple[int, int]:
    """Take back what a lease ran out on or a `dead` owner held; return how many are pending, unknown.

    A claimed one was never armed, so no dot has left: it is pending again. An armed one may be with the
    server: it is unknown until there is evidence. An owner wrongly thought dead does no harm: its claims are
    refused at the arm, and a late answer settles an unknown.
    """
    states = session.scalars(
        update(DeliveryRow)
        .where(
            _IS_LEASED,
            or_(DeliveryRow.lease_until < now, DeliveryRow.owner.in_(list(dead))),
        )
        .values(
            state=case(
                (DeliveryRow.state == DeliveryState.CLAIMED, DeliveryState.PENDING.value),
                else_=DeliveryState.UNKNOWN.value,
            ),
            lease_until=None,
        )
        .returning(DeliveryRow.state)
        .execution_options(synchronize_session=False)
    ).all()
    return states.count(DeliveryState.PENDING), states.count(DeliveryState.UNKNOWN)


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


def planned_skips(session: Session, issue_id: IssueId) -> Iterator[tuple[str, SkipReason]]:
    """Yield each skipped reader's address and the reason, by address."""
    rows = session.execute(
        select(SubscriberRow.email, SkipRow.reason)
        .join(SubscriberRow, SubscriberRow.id == SkipRow.subscriber_id)
        .where(SkipRow.issue_id == issue_id)
        .order_by(SubscriberRow.email_key),
        execution_options={"yield_per": PAGE},
    )
    for email, reason in rows:
        yield email, SkipReason(reason)
