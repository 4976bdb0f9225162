"""What webhooks told already, so that a copy changes nothing: kept while a copy would be believed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base
from digest.store.database import insert_or_ignore

FORGOTTEN_AT_ONCE = 1_000
"""Far more than one request brings, so that the table never grows, and few enough to cost no time."""


class WebhookEventRow(Base):
    """An event, or a token that signs one request. `digest` is of what came with the token, '' for events."""

    __tablename__ = "webhook_events"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(index=True)


def remember_events(session: Session, keys: Collection[str], *, now: datetime) -> frozenset[str]:
    """Store the keys of events; return those that are new. Waits for whoever is storing the same."""
    if not keys:
        return frozenset()
    # In one order everywhere: two pages that each wait for the other's key would wait for ever.
    rows = [{"key": key, "digest": "", "received_at": now} for key in sorted(set(keys))]
    added = insert_or_ignore(session, WebhookEventRow, rows).returning(WebhookEventRow.key)
    return frozenset(session.scalars(added))


def is_used_for_another(session: Session, key: str, digest: str, *, now: datetime) -> bool:
    """Store a token of one use; return whether it has come before, with something else than this."""
    row = {"key": key, "digest": digest, "received_at": now}
    added = insert_or_ignore(session, WebhookEventRow, [row]).returning(WebhookEventRow.key)
    if session.scalar(added) is not None:
        return False
    return session.scalar(select(WebhookEventRow.digest).where(WebhookEventRow.key == key)) != digest


def forget_events(session: Session, *, before: datetime) -> None:
    """Forget some of what came before then, the oldest first."""
    old = (
        select(WebhookEventRow.key)
        .where(WebhookEventRow.received_at < before)
        .order_by(WebhookEventRow.received_at)
        .limit(FORGOTTEN_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        delete(WebhookEventRow).where(WebhookEventRow.key.in_(old)),
        execution_options={"synchronize_session": False},
    )
