"""How many of an issue's mails failed, came back or were complained of, counted while it is being sent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from digest.domain.bounces import Meaning
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.store.deliveries import IS_SETTLED, IS_UNSENT, DeliveryRow
from digest.store.returned import ReturnedRow

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any mail was sent."""

FAILING = (Meaning.GONE, Meaning.SOFT, Meaning.REFUSES_US, Meaning.ABOUT_MAIL)
"""What a mail that came back may say of it that amounts to a failure."""


def count_failed(session: Session, issue_id: IssueId, *, since: datetime = EVER) -> int:
    """Return how many of the issue's mails were refused for good after `since`."""
    return (
        session.scalar(
            select(func.count()).where(
                DeliveryRow.issue_id == issue_id,
                IS_UNSENT,
                DeliveryRow.state == DeliveryState.FAILED.value,
                DeliveryRow.settled_at > since,
            )
        )
        or 0
    )


def count_settled(session: Session, issue_id: IssueId, *, since: datetime = EVER, most: int) -> int:
    """Return how many of the issue's mails were taken or refused after `since`; counting ends at `most`."""
    some = (
        select(DeliveryRow.id)
        .where(DeliveryRow.issue_id == issue_id, IS_SETTLED, DeliveryRow.settled_at > since)
        .limit(most)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def count_returned(
    session: Session, issue_id: IssueId, meanings: Collection[Meaning], *, since: datetime = EVER
) -> int:
    """Return how many of the mails that were taken after `since` came back as one of `meanings`."""
    returned = func.count(ReturnedRow.delivery_id.distinct())
    return (
        session.scalar(
            select(returned)
            .join(DeliveryRow, DeliveryRow.id == ReturnedRow.delivery_id)
            .where(
                ReturnedRow.meaning.in_([meaning.value for meaning in meanings]),
                ReturnedRow.received_at > since,
                DeliveryRow.issue_id == issue_id,
                DeliveryRow.state == DeliveryState.ACCEPTED,
                DeliveryRow.settled_at > since,
            )
        )
        or 0
    )


def failures_of(
    session: Session, issue_id: IssueId, *, most: int, since: datetime = EVER
) -> tuple[tuple[str, int | None, str], ...]:
    """Return address, code and words of the mails that failed, the newest first and `most` of them."""
    rows = session.execute(
        select(DeliveryRow.email_key, DeliveryRow.smtp_code, DeliveryRow.smtp_text)
        .where(
            DeliveryRow.issue_id == issue_id,
            IS_UNSENT,
            DeliveryRow.state == DeliveryState.FAILED.value,
            DeliveryRow.settled_at > since,
        )
        .order_by(DeliveryRow.settled_at.desc())
        .limit(most)
    )
    return tuple((row.email_key, row.smtp_code, row.smtp_text or "") for row in rows)


def returned_of(
    session: Session, issue_id: IssueId, meanings: Collection[Meaning], *, most: int, since: datetime = EVER
) -> tuple[tuple[Meaning, str], ...]:
    """Return as what, and with what words, mails came back as one of `meanings`, the newest first."""
    said = session.execute(
        select(ReturnedRow.meaning, ReturnedRow.detail)
        .join(DeliveryRow, DeliveryRow.id == ReturnedRow.delivery_id)
        .where(
            ReturnedRow.meaning.in_([meaning.value for meaning in meanings]),
            ReturnedRow.received_at > since,
            DeliveryRow.issue_id == issue_id,
            DeliveryRow.settled_at > since,
        )
        .order_by(ReturnedRow.id.desc())
        .limit(most)
    )
    return tuple((Meaning(meaning), detail) for meaning, detail in said)
