"""What is sent once more on somebody's word: deliveries that failed, or whose outcome is unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from digest.domain.deliveries import HARD_BOUNCES, DeliveryId, DeliveryState
from digest.domain.issues import IssueId
from digest.domain.subscribers import SubscriptionState, email_key
from digest.store.bounces import SoftBounceRow
from digest.store.deliveries import IS_UNSENT, DeliveryRow
from digest.store.issues import IssueRow
from digest.store.subscribers import SubscriptionRow
from digest.store.suppressions import SuppressionRow

PAGE = 10_000
"""Deliveries changed in one transaction: workers never wait long for one."""

_AT_ONCE = 500
"""Deliveries named in one statement."""

_FAILED, _UNKNOWN = DeliveryState.FAILED, DeliveryState.UNKNOWN


class LeftOut(StrEnum):
    """Why a delivery is not sent once more."""

    GONE = "gone"
    SUPPRESSED = "suppressed"
    LEFT = "left"

    @property
    def in_words(self) -> str:
        """The reason as ops read it."""
        return _WORDS[self]


_WORDS = {
    LeftOut.GONE: "no such mailbox",
    LeftOut.SUPPRESSED: "suppressed",
    LeftOut.LEFT: "unsubscribed, paused or removed since",
}


@dataclass(frozen=True, slots=True)
class Resendable:
    """What could be sent once more: how many `failed` and `unknown`, and how many not and why."""

    failed: int
    unknown: int
    left_out: Mapping[LeftOut, int]


_IS_GONE = and_(
    DeliveryRow.state == literal_column("'failed'"),
    or_(
        *(
            or_(DeliveryRow.smtp_text == status, DeliveryRow.smtp_text.startswith(f"{status} "))
            for status in sorted(HARD_BOUNCES)
        )
    ),
)
_IS_SUPPRESSED = exists().where(SuppressionRow.email_key == DeliveryRow.email_key)
_IS_SUBSCRIBED = exists().where(
    SubscriptionRow.subscriber_id == DeliveryRow.subscriber_id,
    SubscriptionRow.newsletter_id == IssueRow.newsletter_id,
    SubscriptionRow.state == SubscriptionState.ACTIVE,
)
_WHY_NOT: ColumnElement[str] = case(
    (_IS_GONE, LeftOut.GONE.value),
    (_IS_SUPPRESSED, LeftOut.SUPPRESSED.value),
    (~_IS_SUBSCRIBED, LeftOut.LEFT.value),
    else_="",
)


def _which(
    issue_id: IssueId, states: Collection[DeliveryState], emails: Collection[str]
) -> list[ColumnElement[bool]]:
    wanted = [
        DeliveryRow.issue_id == issue_id,
        IS_UNSENT,
        DeliveryRow.state.in_([state.value for state in states]),
        # Their reader was erased, or it is too long ago: there is no address any more.
        DeliveryRow.email != "",
    ]
    if emails:
        wanted.append(DeliveryRow.email_key.in_([email_key(email) for email in emails]))
    return wanted


def count_resendable(
    session: Session,
    issue_id: IssueId,
    states: Collection[DeliveryState] = (_FAILED, _UNKNOWN),
    *,
    emails: Collection[str] = (),
) -> Resendable:
    """Return how many deliveries in `states` could be sent once more; `emails`: of these readers only."""
    rows = session.execute(
        select(DeliveryRow.state, _WHY_NOT.label("why_not"), func.count())
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(*_which(issue_id, states, emails))
        .group_by(DeliveryRow.state, literal_column("why_not"))
    )
    ready = dict.fromkeys((_FAILED, _UNKNOWN), 0)
    left_out: dict[LeftOut, int] = {}
    for state, why_not, count in rows:
        if why_not:
            left_out[LeftOut(why_not)] = left_out.get(LeftOut(why_not), 0) + count
        else:
            ready[DeliveryState(state)] += count
    return Resendable(ready[_FAILED], ready[_UNKNOWN], left_out)


def resend_some(
    session: Session,
    issue_id: IssueId,
    states: Collection[DeliveryState],
    *,
    emails: Collection[str] = (),
    now: datetime,
    after: int = 0,
) -> tuple[DeliveryId, ...]:
    """Make up to `PAGE` deliveries pending again, with the same Message-ID; return which, in order.

    Those behind number `after`: whoever goes on behind the last one meets none twice, though some have
    failed anew meanwhile. The fence grows, so that an answer which comes late to an earlier try changes
    nothing. They are due now and tried for as long as new ones.
    """
    ids = session.scalars(
        select(DeliveryRow.id)
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(*_which(issue_id, states, emails), _WHY_NOT == "", DeliveryRow.id > after)
        .order_by(DeliveryRow.id)
        .limit(PAGE)
        .with_for_update(of=DeliveryRow, skip_locked=True)
    ).all()
    for start in range(0, len(ids), _AT_ONCE):
        _begin_again(session, ids[start : start + _AT_ONCE], now=now)
    return tuple(map(DeliveryId, ids))


def _begin_again(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    # It did not arrive, but now it may.
    session.execute(delete(SoftBounceRow).where(SoftBounceRow.delivery_id.in_(ids)))
    session.connection().execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(ids))
        .values(
            state=DeliveryState.PENDING.value,
            fence=DeliveryRow.fence + 1,
            next_at=now,
            # Whoever gives up after days of trying counts from here.
            created_at=now,
            attempts=0,
            owner=None,
            settled_at=None,
        )
    )


@dataclass(frozen=True, slots=True)
class UnknownDelivery:
    """A delivery of unknown outcome, and all that is known of it.

    `armed_at` is when its last step began, `worker` who did it, '' when that was not kept; `said` is the
    server's last answer or what broke, '' when the worker died; `since` is when it became unknown, None when
    it did by its worker's death.
    """

    id: DeliveryId
    email: str
    message_id: str
    armed_at: datetime | None
    worker: str
    said: str
    attempts: int
    since: datetime | None


def list_unknown(
    session: Session, issue_id: IssueId, *, limit: int, after: int = 0
) -> tuple[UnknownDelivery, ...]:
    """Return up to `limit` deliveries of unknown outcome by number, from the one behind number `after` on."""
    rows = session.execute(
        select(
            DeliveryRow.id,
            DeliveryRow.email,
            DeliveryRow.message_id,
            DeliveryRow.armed_at,
            DeliveryRow.owner,
            DeliveryRow.smtp_code,
            DeliveryRow.smtp_text,
            DeliveryRow.attempts,
            DeliveryRow.settled_at,
        )
        .where(
            DeliveryRow.issue_id == issue_id,
            IS_UNSENT,
            DeliveryRow.state == DeliveryState.UNKNOWN.value,
            DeliveryRow.id > after,
        )
        .order_by(DeliveryRow.id)
        .limit(limit)
    )
    return tuple(_unknown(row) for row in rows)


def _unknown(row: Any) -> UnknownDelivery:
    was_answered = row.settled_at is not None and row.armed_at is not None and row.settled_at >= row.armed_at
    said = " ".join(str(part) for part in (row.smtp_code, row.smtp_text) if part) if was_answered else ""
    return UnknownDelivery(
        id=DeliveryId(row.id),
        email=row.email,
        message_id=row.message_id,
        armed_at=row.armed_at,
        worker=row.owner or "",
        said=said,
        attempts=row.attempts,
        since=row.settled_at if was_answered else None,
    )
