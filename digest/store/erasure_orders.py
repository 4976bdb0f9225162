"""Orders to erase somebody, kept until they are carried out to their end: a process may die in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, Text, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, email_key
from digest.store.base import NEVER_AGAIN, Base


class ErasureOrderRow(Base):
    """An order. Once the address is taken out it is '' here, too, and the subscriber is a number alone.

    `subscriber_id` is whose address it was when it was ordered: they may have another one since.
    `newsletters` are the numbers of those they subscribed to, with blanks between; `lists` is how many
    uploaded lists named them, which do so no more.
    """

    __tablename__ = "erasure_orders"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    by: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime]
    subscriber_id: Mapped[int | None]
    newsletters: Mapped[str] = mapped_column(Text)
    lists: Mapped[int] = mapped_column(server_default="0")
    fence: Mapped[int] = mapped_column(server_default="0")
    lease_until: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class ErasureOrder:
    """Whom to erase, also where they have another address since; `email` is '' once they were taken out.

    `fence` grows with every claim, so that a process which slept past its lease is known to have lost it.
    """

    id: int
    email: str
    by: str
    fence: int
    lists: int = 0
    subscriber_id: SubscriberId | None = None
    newsletters: tuple[NewsletterId, ...] = ()


def add_order(
    session: Session,
    email: str,
    *,
    by: str,
    now: datetime,
    lease_until: datetime | None,
    subscriber_id: SubscriberId | None = None,
) -> ErasureOrder:
    """Keep an order, which is the caller's to carry out for so long; None leaves it to whoever comes."""
    row = ErasureOrderRow(
        email=email,
        by=by,
        asked_at=now,
        subscriber_id=subscriber_id,
        newsletters="",
        lists=0,
        fence=1,
        lease_until=lease_until,
    )
    session.add(row)
    session.flush()
    return _order(row)


def take_order(
    session: Session,
    email: str,
    *,
    by: str,
    now: datetime,
    lease_until: datetime,
    subscriber_id: SubscriberId | None,
) -> ErasureOrder | None:
    """Return the order to erase somebody, the open one or a new one, as the caller's to carry out.

    None: somebody is at the open one. A second press of a button does not look through all lists once more.
    """
    key = email_key(email)
    # Those that are open are few, and other letters of one address are only told alike by Python.
    rows = session.execute(
        select(ErasureOrderRow.id, ErasureOrderRow.email, ErasureOrderRow.subscriber_id)
        .where(ErasureOrderRow.email != "")
        .order_by(ErasureOrderRow.id)
    )
    for number, address, owner in rows.all():
        # An address may be another reader's since: theirs is an order of its own.
        is_theirs = owner == subscriber_id if owner and subscriber_id else email_key(address) == key
        if is_theirs:
            return claim_order(session, number, now=now, lease_until=lease_until)
    return add_order(session, email, by=by, now=now, lease_until=lease_until, subscriber_id=subscriber_id)


def pending_orders(session: Session, *, now: datetime) -> tuple[int, ...]:
    """Return the orders that nobody is at, the oldest first."""
    rows = select(ErasureOrderRow.id).where(_is_free(now)).order_by(ErasureOrderRow.id)
    return tuple(session.scalars(rows))


def claim_order(
    session: Session, order_id: int, *, now: datetime, lease_until: datetime
) -> ErasureOrder | None:
    """Take up an order that nobody is at; None: somebody is, or it is done."""
    # One whose lease ended in the middle of a transaction is its process's until that is over.
    free = select(ErasureOrderRow.id).where(ErasureOrderRow.id == order_id, _is_free(now))
    if session.scalar(free.with_for_update(skip_locked=True)) is None:
        return None
    row = session.get_one(ErasureOrderRow, order_id, populate_existing=True)
    row.fence, row.lease_until = row.fence + 1, lease_until
    session.flush()
    return _order(row)


def hold_order(session: Session, order: ErasureOrder, *, lease_until: datetime) -> ErasureOrder | None:
    """Keep an order claimed, and others from it until this transaction ends; None: somebody else has it."""
    held = session.scalar(
        update(ErasureOrderRow)
        .where(*_still(order))
        .values(lease_until=lease_until)
        .returning(ErasureOrderRow)
        .execution_options(populate_existing=True)
    )
    return None if held is None else _order(held)


def count_list(session: Session, order: ErasureOrder) -> None:
    """Note that a list named them, and does so no more."""
    counted = update(ErasureOrderRow).where(*_still(order)).values(lists=ErasureOrderRow.lists + 1)
    session.execute(counted.execution_options(synchronize_session=False))


def note_taken_out(
    session: Session,
    order: ErasureOrder,
    subscriber_id: SubscriberId | None,
    newsletters: Sequence[NewsletterId],
) -> ErasureOrder:
    """Note that somebody was taken out, and forget their address."""
    row = session.get_one(ErasureOrderRow, order.id)
    row.email, row.subscriber_id, row.newsletters = "", subscriber_id, " ".join(map(str, newsletters))
    session.flush()
    return _order(row)


def give_order_back(session: Session, order: ErasureOrder) -> None:
    """Let another process go on with an order at once, if it is still this one's."""
    given = update(ErasureOrderRow).where(*_still(order)).values(lease_until=None)
    session.execute(given.execution_options(synchronize_session=False))


def end_order(session: Session, order: ErasureOrder) -> None:
    """Forget an order that is done, whoever else is at its end, too."""
    session.execute(delete(ErasureOrderRow).where(ErasureOrderRow.id == order.id))


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(ErasureOrderRow.lease_until.is_(None), ErasureOrderRow.lease_until < now)


def _still(order: ErasureOrder) -> tuple[ColumnElement[bool], ...]:
    return ErasureOrderRow.id == order.id, ErasureOrderRow.fence == order.fence


def _order(row: ErasureOrderRow) -> ErasureOrder:
    return ErasureOrder(
        row.id,
        row.email,
        row.by,
        row.fence,
        row.lists,
        None if row.subscriber_id is None else SubscriberId(row.subscriber_id),
        tuple(NewsletterId(int(number)) for number in row.newsletters.split()),
    )
