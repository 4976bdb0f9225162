"""Whoever changes what belongs to a reader locks the reader first, then their subscriptions, then the rest.

Erasing does so, too. What is kept of somebody refers to their row, so whoever begins elsewhere comes to it in
the end; and of two that wait for each other's rows PostgreSQL ends one.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import column, func, select, table
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryId
from digest.domain.subscribers import SubscriberId

_SUBSCRIBERS = table("subscribers", column("id"))
_DELIVERIES = table("deliveries", column("id"), column("subscriber_id"))
"""By their names: their modules know this one."""


_ADVISORY_LOCK = 7_203_911_863
"""Any number that nothing else locks; sign-ups' and a migration's are others."""


def hold_marks(session: Session) -> None:
    """Keep everybody from being erased before the end of a transaction that brings addresses in.

    It asks who was erased, and stores the others: who is erased in between would come back. So it does this
    first of all. On SQLite nobody else writes at all.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock_shared(_ADVISORY_LOCK)))


def await_marks(session: Session) -> None:
    """Wait for whoever brings addresses in, and keep others from it until this transaction ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def hold_readers(session: Session, readers: Collection[SubscriberId]) -> None:
    """Keep readers from being erased before the end of the transaction, which first of all locks them."""
    if not readers:
        return
    rows = select(_SUBSCRIBERS.c.id).where(_SUBSCRIBERS.c.id.in_(readers)).order_by(_SUBSCRIBERS.c.id)
    session.execute(rows.with_for_update(read=True, key_share=True)).all()


def hold_reader_of(session: Session, delivery_id: DeliveryId) -> None:
    """Do so with whoever a delivery is for."""
    found = select(_DELIVERIES.c.subscriber_id).where(_DELIVERIES.c.id == delivery_id)
    hold_readers(session, [SubscriberId(number) for number in session.scalars(found)])
