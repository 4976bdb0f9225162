"""Deliveries that failed, told to the endpoints that want to know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryId, DeliveryState
from digest.domain.endpoints import EventKind
from digest.store.announcements import announce, is_wanted
from digest.store.deliveries import DeliveryRow


def announce_failed(session: Session, ids: Sequence[DeliveryId], *, now: datetime) -> None:
    """Tell of those of these deliveries that were settled `now` as failed, in the transaction that did it."""
    if not is_wanted(session, EventKind.DELIVERY_FAILED):
        return
    rows = session.execute(
        select(
            DeliveryRow.id,
            DeliveryRow.issue_id,
            DeliveryRow.subscriber_id,
            DeliveryRow.smtp_code,
            DeliveryRow.smtp_text,
        ).where(
            DeliveryRow.id.in_(ids),
            DeliveryRow.state == DeliveryState.FAILED.value,
            DeliveryRow.settled_at == now,
        )
    )
    told = [
        {
            "delivery": row.id,
            "issue": row.issue_id,
            "subscriber": row.subscriber_id,
            "code": row.smtp_code,
            "said": row.smtp_text,
        }
        for row in rows
    ]
    announce(session, EventKind.DELIVERY_FAILED, *told, now=now)
