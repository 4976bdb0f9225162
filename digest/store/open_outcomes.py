"""Deliveries of which nobody knows what became of them, and what evidence makes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, String, case, func, or_, select, update
from sqlalchemy.orm import Session

from digest.domain.deliveries import UNFINISHED, DeliveryId, DeliveryState
from digest.domain.issues import IssueId, IssueState
from digest.domain.subscribers import email_key
from digest.store.audiences import PAGE
from digest.store.deliveries import IS_UNSENT, DeliveryRow
from digest.store.given import Columns, given, values_given
from digest.store.issues import IssueRow


@dataclass(frozen=True, slots=True)
class OpenOutcomes:
    """Deliveries of an issue whose outcome is open: how many, and when the first and last were armed."""

    issue_id: IssueId
    count: int
    first_armed: datetime
    last_armed: datetime


def open_outcomes(session: Session, issue_id: IssueId | None = None) -> tuple[OpenOutcomes, ...]:
    """Return what is open, by issue; of one issue alone when it is given."""
    first = func.min(func.coalesce(DeliveryRow.armed_at, DeliveryRow.created_at))
    # What an older database does not know was armed at any time until it was doubted.
    last = func.max(func.coalesce(DeliveryRow.armed_at, DeliveryRow.settled_at, DeliveryRow.created_at))
    query = (
        select(DeliveryRow.issue_id, func.count(), first, last)
        .where(DeliveryRow.state == DeliveryState.UNKNOWN)
        .group_by(DeliveryRow.issue_id)
        .order_by(DeliveryRow.issue_id)
    )
    if issue_id is not None:
        query = query.where(DeliveryRow.issue_id == issue_id)
    return tuple(
        OpenOutcomes(IssueId(number), count, first, last)
        for number, count, first, last in session.execute(query)
    )


def doubt_unsent(session: Session, *, now: datetime) -> int:
    """Make unknown whatever of issues under way is not settled; return how many deliveries that were.

    For a database that turned out to be older than what was sent from it: any of them may have arrived.
    """
    under_way = select(IssueRow.id).where(IssueRow.state.in_([IssueState.SENDING, IssueState.PAUSED]))
    changed = session.connection().execute(
        update(DeliveryRow)
        .where(DeliveryRow.issue_id.in_(under_way), DeliveryRow.state.in_(list(UNFINISHED)))
        .values(
            state=DeliveryState.UNKNOWN,
            fence=DeliveryRow.fence + 1,
            owner=None,
            lease_until=None,
            settled_at=now,
            smtp_text="the database is older than what was sent from it: this mail may be out",
        )
    )
    return changed.rowcount


def open_message_ids(session: Session, issue_id: IssueId | None = None) -> frozenset[str]:
    """Return the Message-IDs of mails whose outcome is open."""
    query = select(DeliveryRow.message_id).where(DeliveryRow.state == DeliveryState.UNKNOWN)
    if issue_id is not None:
        query = query.where(DeliveryRow.issue_id == issue_id)
    return frozenset(session.scalars(query))


def settle_unknown(
    session: Session,
    issue_id: IssueId,
    *,
    accepted: Collection[str],
    absent_are_pending: bool,
    now: datetime,
    asked: Collection[str] | None = None,
) -> tuple[int, int]:
    """Settle unknown deliveries by evidence: the Message-IDs that the server `accepted`.

    With `absent_are_pending`, the evidence covers everything the server took, so an unknown delivery
    that is not in it was never accepted and may be sent again (of a cancelled issue: is cancelled). `asked`
    are those that it was looked through for, None for all: what became unknown since then stays so.
    Returns how many became accepted, pending.
    """
    unknown = session.execute(
        select(DeliveryRow.id, DeliveryRow.message_id).where(
            DeliveryRow.issue_id == issue_id, DeliveryRow.state == DeliveryState.UNKNOWN
        )
    ).all()
    there = [row.id for row in unknown if row.message_id in accepted]
    sought = {row.message_id for row in unknown} if asked is None else asked
    absent = [row.id for row in unknown if row.message_id not in accepted and row.message_id in sought]
    absent = absent if absent_are_pending else []
    is_over = session.scalar(select(IssueRow.state).where(IssueRow.id == issue_id)) == IssueState.CANCELLED
    _move_unknown(session, there, DeliveryState.ACCEPTED, now=now)
    _move_unknown(session, absent, DeliveryState.CANCELLED if is_over else DeliveryState.PENDING, now=now)
    return len(there), 0 if is_over else len(absent)


def accept_unknown(
    session: Session, issue_id: IssueId, emails: Collection[str], *, now: datetime
) -> tuple[str, ...]:
    """Settle as accepted, on somebody's word, what is unknown of these readers; return whose that was."""
    rows = session.execute(
        select(DeliveryRow.id, DeliveryRow.email).where(
            DeliveryRow.issue_id == issue_id,
            IS_UNSENT,
            DeliveryRow.state == DeliveryState.UNKNOWN.value,
            DeliveryRow.email_key.in_([email_key(email) for email in emails]),
        )
    ).all()
    _move_unknown(session, [row.id for row in rows], DeliveryState.ACCEPTED, now=now)
    return tuple(row.email for row in rows)


def _move_unknown(session: Session, ids: Sequence[int], to: DeliveryState, *, now: datetime) -> None:
    # The fence grows here too, so an answer that comes later than the evidence changes nothing.
    for first in range(0, len(ids), PAGE):
        session.connection().execute(
            update(DeliveryRow)
            .where(DeliveryRow.id.in_(ids[first : first + PAGE]), DeliveryRow.state == DeliveryState.UNKNOWN)
            .values(state=to, fence=DeliveryRow.fence + 1, next_at=now, settled_at=now, owner=None)
        )


_MAY_HAVE_ARRIVED = (
    DeliveryState.UNKNOWN.value,
    DeliveryState.SENDING.value,
    DeliveryState.CLAIMED.value,
    DeliveryState.PENDING.value,
)


_EVIDENCE: Columns = {"id": BigInteger(), "name": String()}
_BY_NAME = 200
"""The code of what a provider accepted over HTTP, beside its name for the mail."""


def accept_by_evidence(
    session: Session, names: Mapping[DeliveryId, str], *, now: datetime
) -> frozenset[DeliveryId]:
    """Settle as accepted what a provider says it has; return which were open until then.

    `names` are what the provider calls the mails, as `ses:0100…`, '' where it does not say. Not the unknown
    ones alone: evidence may come before its worker has heard the answer, before the lease of a dead one runs
    out, or after ops chose to send once more. Never one that was not armed, and the fence grows: whoever
    holds it arms no more. Of those that are unknown an older database may not know that they were.
    """
    if not names:
        return frozenset()
    connection = session.connection()
    told = given(connection.dialect.name, _EVIDENCE)
    has_name = told.c.name != ""
    settled = connection.scalars(
        update(DeliveryRow)
        .where(
            DeliveryRow.id == told.c.id,
            DeliveryRow.state.in_(_MAY_HAVE_ARRIVED),
            or_(DeliveryRow.armed_at.is_not(None), DeliveryRow.state == DeliveryState.UNKNOWN.value),
        )
        .values(
            state=DeliveryState.ACCEPTED.value,
            fence=DeliveryRow.fence + 1,
            smtp_code=case((has_name, _BY_NAME), else_=DeliveryRow.smtp_code),
            smtp_text=case((has_name, told.c.name), else_=DeliveryRow.smtp_text),
            settled_at=now,
            owner=None,
            lease_until=None,
        )
        .returning(DeliveryRow.id),
        values_given(connection, _EVIDENCE, sorted(names.items())),
    )
    return frozenset(map(DeliveryId, settled))
