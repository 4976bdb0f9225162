"""How an issue's deliveries stand, reader by reader, and which of them wait for another try."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.store.audiences import PAGE, EditionRow
from digest.store.deliveries import DeliveryRow


@dataclass(frozen=True, slots=True)
class Standing:
    """One reader's delivery: the key of their edition, and how far it is."""

    email: str
    edition: str
    state: DeliveryState


def standings(session: Session, issue_id: IssueId) -> Iterator[Standing]:
    """Yield how each addressed reader's delivery stands, by address."""
    rows = session.execute(
        select(DeliveryRow.email, EditionRow.key, DeliveryRow.state)
        .join(EditionRow, EditionRow.id == DeliveryRow.edition_id)
        .where(DeliveryRow.issue_id == issue_id)
        .order_by(DeliveryRow.email_key),
        execution_options={"yield_per": PAGE},
    )
    for email, key, state in rows:
        yield Standing(email, key, DeliveryState(state))


@dataclass(frozen=True, slots=True)
class Deferred:
    """Mails that were put off: how many, when the first is tried again (UTC), and what was said of that one.

    `said` is the mail server's code and words, or why none was reached; '' when neither is known.
    """

    count: int
    next_try: datetime
    said: str


def find_refusal(session: Session, issue_id: IssueId) -> str:
    """Return what the mail server said of one of the issue's mails that it refused for good, '' for none."""
    refused = session.execute(
        select(DeliveryRow.smtp_code, DeliveryRow.smtp_text)
        .where(DeliveryRow.issue_id == issue_id, DeliveryRow.state == DeliveryState.FAILED)
        .order_by(DeliveryRow.id.desc())
        .limit(1)
    ).first()
    return " ".join(str(part) for part in refused if part) if refused else ""


@dataclass(frozen=True, slots=True)
class AtOwnHour:
    """Mails that wait for an hour by their readers' own clocks: how many, the first and the last (UTC)."""

    count: int
    first: datetime
    last: datetime


def find_at_own_hour(session: Session, issue_id: IssueId, *, now: datetime) -> AtOwnHour | None:
    """Return the deliveries of the issue that nobody has tried yet, as their hour is still to come."""
    count, first, last = session.execute(
        select(func.count(), func.min(DeliveryRow.next_at), func.max(DeliveryRow.next_at)).where(
            *_waiting(issue_id, now), DeliveryRow.attempts == 0
        )
    ).one()
    return AtOwnHour(count, first, last) if count else None


def _waiting(issue_id: IssueId, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        DeliveryRow.issue_id == issue_id,
        DeliveryRow.state == DeliveryState.PENDING,
        DeliveryRow.next_at > now,
    )


def find_deferred(session: Session, issue_id: IssueId, *, now: datetime) -> Deferred | None:
    """Return the deliveries of the issue whose next try is still to come, or None when none waits.

    What was never tried is not deferred: see `find_at_own_hour`.
    """
    waiting = (*_waiting(issue_id, now), DeliveryRow.attempts > 0)
    first = session.execute(
        select(DeliveryRow.next_at, DeliveryRow.smtp_code, DeliveryRow.smtp_text)
        .where(*waiting)
        .order_by(DeliveryRow.next_at)
        .limit(1)
    ).first()
    if first is None:
        return None
    next_try, code, text = first
    count = session.scalar(select(func.count()).select_from(DeliveryRow).where(*waiting)) or 0
    return Deferred(count, next_try, " ".join(str(part) for part in (code, text) if part))
