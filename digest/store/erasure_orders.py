"""Orders to erase somebody, kept until they are carried out to their end: a process may die in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, Text, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.base import NEVER_AGAIN, Base


class ErasureOrderRow(Base):
    """An order. Once the address is taken out it is '' here, too, and the subscriber is a number alone.

    `newsletters` are the numbers of those they subscribed to, with blanks between.
    """

    __tablename__ = "erasure_orders"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    by: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime]
    subscriber_id: Mapped[int | None]
    newsletters: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class ErasureOrder:
    """Whom to erase; `email` is '' once they were taken out, and `subscriber_id` who that was."""

    id: int
    email: str
    by: str
    subscriber_id: SubscriberId | None = None
    newsletters: tuple[NewsletterId, ...] = ()


def add_order(session: Session, email: str, *, by: str, now: datetime) -> ErasureOrder:
    """Keep an order."""
    row = ErasureOrderRow(email=email, by=by, asked_at=now, newsletters="")
    session.add(row)
    session.flush()
    return _order(row)


def open_orders(session: Session, *, until: datetime) -> tuple[ErasureOrder, ...]:
    """Return the orders that were given until then and are not done, the oldest first."""
    rows = select(ErasureOrderRow).where(ErasureOrderRow.asked_at <= until).order_by(ErasureOrderRow.id)
    return tuple(map(_order, session.scalars(rows)))


def claim_order(session: Session, order_id: int, *, skip_locked: bool = False) -> ErasureOrder | None:
    """Return an order that nobody else carries out before this transaction ends; None: it is done.

    With `skip_locked` also None, at once, where somebody else carries it out. SQLite has one writer.
    """
    row = session.scalar(
        select(ErasureOrderRow)
        .where(ErasureOrderRow.id == order_id)
        .with_for_update(skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )
    return None if row is None else _order(row)


def note_taken_out(
    session: Session,
    order_id: int,
    subscriber_id: SubscriberId | None,
    newsletters: Sequence[NewsletterId],
) -> None:
    """Note that somebody was taken out, and forget their address."""
    session.execute(
        update(ErasureOrderRow)
        .where(ErasureOrderRow.id == order_id)
        .values(email="", subscriber_id=subscriber_id, newsletters=" ".join(map(str, newsletters)))
    )


def end_order(session: Session, order_id: int) -> None:
    """Forget an order that is done."""
    session.execute(delete(ErasureOrderRow).where(ErasureOrderRow.id == order_id))


def _order(row: ErasureOrderRow) -> ErasureOrder:
    return ErasureOrder(
        row.id,
        row.email,
        row.by,
        None if row.subscriber_id is None else SubscriberId(row.subscriber_id),
        tuple(NewsletterId(int(number)) for number in row.newsletters.split()),
    )
