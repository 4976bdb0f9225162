"""How far an issue's sending is, and how fast: questions that are quick at a million deliveries.

What was settled is counted by its time, what waits by the partial index of the pending. Of domains and causes
the newest `SAMPLE` mails tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.store.deliveries import IS_PENDING, IS_SETTLED, DeliveryRow, count_deliveries

SAMPLE = 10_000
"""Mails looked at to tell of domains and causes: the newest, read in some hundredths of a second."""

RATE_OVER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """Where an issue's deliveries stand.

    Of the pending ones `due` can be claimed now, `deferred` were put off by a server, `throttled` found no
    turn under a cap or a pause of their receivers, and `scheduled` wait for an hour of their own; `next_at`
    is when the first of these three is due, None when there is none. `lately` were taken or refused within
    the last `RATE_OVER`, beginning at `lately_from` (None: none was).
    """

    states: Mapping[DeliveryState, int]
    due: int
    deferred: int
    throttled: int
    scheduled: int
    next_at: datetime | None
    lately: int
    lately_from: datetime | None


@dataclass(frozen=True, slots=True)
class DomainCount:
    """How the newest mails to one receiving domain went."""

    domain: str
    accepted: int
    failed: int
    deferred: int


def count_progress(session: Session, issue_id: IssueId, *, now: datetime) -> Counted:
    """Count where an issue's deliveries stand, and how many were settled in the last minute."""
    states = count_deliveries(session, issue_id)
    waiting = (DeliveryRow.issue_id == issue_id, IS_PENDING, DeliveryRow.next_at > now)
    later = session.scalar(select(func.count()).where(*waiting)) or 0
    deferred = throttled = 0
    if later:
        deferred, throttled = session.execute(
            select(
                func.count().filter(DeliveryRow.attempts > 0),
                # Who waits for their hour was never claimed.
                func.count().filter(DeliveryRow.attempts == 0, DeliveryRow.fence > 0),
            ).where(*waiting)
        ).one()
    settled = session.execute(
        select(func.count(), func.min(DeliveryRow.settled_at)).where(
            DeliveryRow.issue_id == issue_id, IS_SETTLED, DeliveryRow.settled_at > now - RATE_OVER
        )
    ).one()
    return Counted(
        states=states,
        due=states[DeliveryState.PENDING] - later,
        deferred=deferred,
        throttled=throttled,
        scheduled=later - deferred - throttled,
        next_at=session.scalar(select(func.min(DeliveryRow.next_at)).where(*waiting)) if later else None,
        lately=settled[0],
        lately_from=settled[1],
    )


def count_domains(session: Session, issue_id: IssueId) -> tuple[DomainCount, ...]:
    """Return how the newest mails went by receiving domain: where most failed or were put off comes first."""
    settled = session.execute(
        select(DeliveryRow.email_key, DeliveryRow.state)
        .where(DeliveryRow.issue_id == issue_id, IS_SETTLED)
        .order_by(DeliveryRow.settled_at.desc())
        .limit(SAMPLE)
    ).all()
    put_off = session.scalars(
        select(DeliveryRow.email_key)
        .where(DeliveryRow.issue_id == issue_id, IS_PENDING, DeliveryRow.attempts > 0)
        .order_by(DeliveryRow.next_at.desc())
        .limit(SAMPLE)
    ).all()
    accepted, failed, deferred = Counter[str](), Counter[str](), Counter[str](map(_domain, put_off))
    for key, state in settled:
        (accepted if state == DeliveryState.ACCEPTED else failed)[_domain(key)] += 1
    domains = sorted({*accepted, *failed, *deferred}, key=lambda one: (-failed[one] - deferred[one], one))
    return tuple(DomainCount(one, accepted[one], failed[one], deferred[one]) for one in domains)


def _domain(email_key: str) -> str:
    return email_key.rpartition("@")[2]
