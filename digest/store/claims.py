"""A worker's hold on deliveries: claimed with a lease, armed, settled or given back, reaped when it is dead.

Each claim raises the delivery's fence, and every later change of a worker names the fence it was given,
so one that slept past its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    String,
    Text,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from digest.domain.deliveries import Claim, DeliveryId, DeliveryState, Outcome
from digest.domain.issues import MEASURED, IssueId, IssueState
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.audiences import PAGE, edition_keys
from digest.store.base import storable
from digest.store.deliveries import DeliveryRow
from digest.store.failed_deliveries import announce_failed
from digest.store.given import Columns, given, values_given
from digest.store.holds import NOTHING_HELD
from digest.store.issues import IssueRow
from digest.store.outages import OutageRow
from digest.store.subscribers import SubscriptionRow
from digest.store.suppressions import SuppressionRow
from digest.store.unmeasured import MeasuredMail, unmeasured_now

_IN_HAND = (DeliveryState.CLAIMED, DeliveryState.SENDING)
# Written out as in the partial indexes: with the states as parameters, neither database could know that such
# an index holds the rows that are asked for.
_IS_PENDING = DeliveryRow.state == literal_column("'pending'")
_IS_LEASED = DeliveryRow.state.in_([literal_column("'claimed'"), literal_column("'sending'")])
_IS_ERASED = DeliveryRow.email == literal_column("''")
"""Its reader was erased while it was armed. Whatever brought it back, there is nobody to send it to."""


def claimable_issues(
    session: Session, issue_ids: Collection[IssueId], *, now: datetime
) -> tuple[IssueId, ...]:
    """Return those that may leave, or that have a delivery due and no outage to wait for, oldest first.

    An approved issue that waits for the hour of its schedule may not.
    """
    is_due = exists().where(DeliveryRow.issue_id == IssueRow.id, _IS_PENDING, DeliveryRow.next_at <= now)
    is_away = exists().where(OutageRow.issue_id == IssueRow.id, OutageRow.retry_at > now)
    found = session.scalars(
        select(IssueRow.id)
        .where(
            IssueRow.id.in_(list(issue_ids)),
            or_(
                and_(IssueRow.state == IssueState.APPROVED, IssueRow.awaits_hour.is_(False)),
                and_(IssueRow.state == IssueState.SENDING, is_due, ~is_away),
            ),
        )
        .order_by(IssueRow.id)
    )
    return tuple(map(IssueId, found))


def claim_deliveries(
    session: Session, issue_id: IssueId, *, owner: str, limit: int, now: datetime, lease_until: datetime
) -> tuple[Claim, ...]:
    """Take up to `limit` due deliveries of a sending issue for `owner`. Empty: nothing is due.

    Those of readers who were erased are cancelled instead. What was addressed as measured is claimed as plain
    where it may not be measured now.
    """
    # A WITH is run once; a subquery may be run again for each row, and lock more than it was asked for.
    due = (
        select(DeliveryRow.id)
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(
            DeliveryRow.issue_id == issue_id,
            _IS_PENDING,
            DeliveryRow.next_at <= now,
            IssueRow.state == IssueState.SENDING,
            NOTHING_HELD,
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
            state=case((_IS_ERASED, DeliveryState.CANCELLED.value), else_=DeliveryState.CLAIMED.value),
            owner=case((_IS_ERASED, None), else_=owner),
            fence=DeliveryRow.fence + 1,
            lease_until=case((_IS_ERASED, None), else_=literal(lease_until, DeliveryRow.lease_until.type)),
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
    plain = unmeasured_now(
        session,
        [
            MeasuredMail(row.id, issue_id, row.subscriber_id, row.edition_id, keys[row.edition_id])
            for row in rows
            if row.email and keys[row.edition_id].endswith(MEASURED)
        ],
    )
    return tuple(
        Claim(
            DeliveryId(row.id),
            row.fence,
            row.email,
            row.message_id,
            plain.get(row.id) or keys[row.edition_id],
            SubscriberId(row.subscriber_id),
            row.attempts,
            row.created_at,
        )
        for row in rows
        if row.email
    )


# Looked up row by row, as a scalar is: an EXISTS may be turned into a join, and PostgreSQL, which learns of a
# million new rows only later, has then read all subscriptions for every page.
_SUBSCRIPTION_STATE: ColumnElement[str] = (
    select(SubscriptionRow.state)
    .join(IssueRow, IssueRow.newsletter_id == SubscriptionRow.newsletter_id)
    .where(IssueRow.id == DeliveryRow.issue_id, SubscriptionRow.subscriber_id == DeliveryRow.subscriber_id)
    .correlate(DeliveryRow)
    .scalar_subquery()
)
_SUPPRESSION: ColumnElement[str] = (
    select(SuppressionRow.email_key)
    .where(SuppressionRow.email_key == DeliveryRow.email_key)
    .correlate(DeliveryRow)
    .scalar_subquery()
)
_IS_WANTED = and_(
    func.coalesce(_SUBSCRIPTION_STATE, "") == SubscriptionState.ACTIVE.value, _SUPPRESSION.is_(None)
)
# Not as the partial index has it: it holds all that is in hand, and a page is looked up by its ids.
_IS_IN_HAND = DeliveryRow.state.not_in(
    [literal_column(f"'{state.value}'") for state in DeliveryState if state not in _IN_HAND]
)


def _issue_is(state: IssueState) -> ColumnElement[bool]:
    found = select(IssueRow.state).where(IssueRow.id == DeliveryRow.issue_id).correlate(DeliveryRow)
    return found.scalar_subquery() == state.value


_HELD: Columns = {"id": BigInteger(), "fence": Integer()}
_SETTLED: Columns = {**_HELD, "state": String(), "code": Integer(), "text": Text()}


def arm_deliveries(
    session: Session, claims: Sequence[Claim], *, owner: str, now: datetime
) -> frozenset[Claim]:
    """Commit `owner` to sending these; return those whose dot may leave.

    One worker may hold two claims of a delivery that was taken back between: the later alone may be armed.
    The others were taken over, unsubscribed or suppressed since the claim, or their issue is no longer being
    sent: theirs must not. Asking again after a commit whose outcome was lost gives the same answer.
    """
    connection = session.connection()
    armed = connection.execute(
        _arming(connection.dialect.name), {**_held(connection, claims), "b_owner": owner, "b_now": now}
    )
    fences = {row.id: row.fence for row in armed}
    return frozenset(claim for claim in claims if fences.get(claim.id) == claim.fence)


@cache
def _arming(dialect: str) -> Update:
    held = given(dialect, _HELD)
    return (
        update(DeliveryRow)
        .where(
            DeliveryRow.id == held.c.id,
            DeliveryRow.fence == held.c.fence,
            DeliveryRow.owner == bindparam("b_owner"),
            _IS_IN_HAND,
            _issue_is(IssueState.SENDING),
            NOTHING_HELD,
            _IS_WANTED,
        )
        .values(state=DeliveryState.SENDING.value, armed_at=bindparam("b_now"))
        .returning(DeliveryRow.id, DeliveryRow.fence)
    )


def return_claims(session: Session, claims: Sequence[Claim], *, owner: str) -> None:
    """Give back claims that were not armed: pending again, or cancelled.

    They are cancelled where the reader left or the issue was cancelled since they were claimed.
    """
    connection = session.connection()
    connection.execute(_returning(connection.dialect.name), {**_held(connection, claims), "b_owner": owner})


@cache
def _returning(dialect: str) -> Update:
    held = given(dialect, _HELD)
    return (
        update(DeliveryRow)
        .where(
            DeliveryRow.id == held.c.id,
            DeliveryRow.fence == held.c.fence,
            DeliveryRow.owner == bindparam("b_owner"),
            DeliveryRow.state == DeliveryState.CLAIMED.value,
        )
        .values(
            state=case(
                (_IS_WANTED & ~_issue_is(IssueState.CANCELLED), DeliveryState.PENDING.value),
                else_=DeliveryState.CANCELLED.value,
            ),
            owner=None,
            lease_until=None,
        )
    )


def put_claims_off(session: Session, later: Sequence[tuple[Claim, datetime]]) -> None:
    """Give back claims for which there is no turn yet, each pending again until its own moment."""
    if not later:
        return
    session.connection().execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.id == bindparam("b_id"),
            DeliveryRow.fence == bindparam("b_fence"),
            DeliveryRow.state == DeliveryState.CLAIMED.value,
        )
        .values(
            state=DeliveryState.PENDING.value, owner=None, lease_until=None, next_at=bindparam("b_next_at")
        ),
        [{"b_id": claim.id, "b_fence": claim.fence, "b_next_at": at} for claim, at in later],
    )


def _held(connection: Connection, claims: Sequence[Claim]) -> dict[str, object]:
    return values_given(connection, _HELD, [(claim.id, claim.fence) for claim in claims])


def settle_deliveries(session: Session, settled: Sequence[tuple[Claim, Outcome]], *, now: datetime) -> int:
    """Record what became of claimed deliveries; return how many still were the claim's to settle.

    A late answer settles an `unknown` too: the fence shows that nobody has taken the delivery since.
    """
    connection = session.connection()
    # Nearly all are due at no later time: those of one time are one statement.
    by_time: dict[datetime, list[tuple[object, ...]]] = {}
    for claim, outcome in settled:
        next_at = now if outcome.retry_in is None else now + outcome.retry_in
        told = storable(outcome.text)[:500]
        row = (claim.id, claim.fence, outcome.state.value, outcome.code, told)
        by_time.setdefault(next_at, []).append(row)
    settling = _settling(connection.dialect.name)
    count = sum(
        connection.execute(
            settling,
            {**values_given(connection, _SETTLED, rows), "b_now": now, "b_since": now, "b_next_at": next_at},
        ).rowcount
        for next_at, rows in by_time.items()
    )
    if failed := [claim.id for claim, outcome in settled if outcome.state is DeliveryState.FAILED]:
        announce_failed(session, failed, now=now)
    return count


@cache
def _settling(dialect: str) -> Update:
    became = given(dialect, _SETTLED)
    is_open: list[ColumnElement[str]] = [
        literal_column(f"'{state.value}'") for state in (*_IN_HAND, DeliveryState.UNKNOWN)
    ]
    return (
        update(DeliveryRow)
        .where(
            DeliveryRow.id == became.c.id,
            DeliveryRow.fence == became.c.fence,
            DeliveryRow.state.in_(is_open),
        )
        .values(
            state=became.c.state,
            smtp_code=became.c.code,
            # What a server says of a mail names whom it was to.
            smtp_text=case((_IS_ERASED, literal_column("''")), else_=became.c.text),
            attempts=DeliveryRow.attempts + 1,
            next_at=bindparam("b_next_at"),
            settled_at=bindparam("b_now"),
            # Whoever gives up after days of trying counts from the first attempt.
            created_at=case(
                (
                    and_(DeliveryRow.attempts == 0, became.c.state == DeliveryState.PENDING.value),
                    bindparam("b_since", type_=DeliveryRow.created_at.type),
                ),
                else_=DeliveryRow.created_at,
            ),
            # Who had it is evidence for whoever has to find out what became of it.
            owner=case((became.c.state == DeliveryState.UNKNOWN.value, DeliveryRow.owner), else_=None),
            lease_until=None,
        )
    )


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
    # Rows that somebody is changing are let be: a worker that is stopped in a transaction holds them locked,
    # and whoever waited for it would stand still with it.
    held = session.execute(
        select(DeliveryRow.id, DeliveryRow.state)
        .where(_IS_LEASED, or_(DeliveryRow.lease_until < now, DeliveryRow.owner.in_(list(dead))))
        .with_for_update(skip_locked=True)
    ).all()
    ids = [row.id for row in held]
    for first in range(0, len(ids), PAGE):
        session.connection().execute(_reaping(), {"b_ids": ids[first : first + PAGE]})
    states = [row.state for row in held]
    return states.count(DeliveryState.CLAIMED), states.count(DeliveryState.SENDING)


@cache
def _reaping() -> Update:
    return (
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(bindparam("b_ids", expanding=True)))
        .values(
            state=case(
                (DeliveryRow.state == DeliveryState.CLAIMED, DeliveryState.PENDING.value),
                else_=DeliveryState.UNKNOWN.value,
            ),
            lease_until=None,
        )
    )
