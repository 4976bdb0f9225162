"""Holds: what keeps everything from being sent, whichever issue it is of."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Index, String, Text, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.pauses import PROGRAM, Hold, HoldCause
from digest.store.base import Base, storable
from digest.store.database import insert_or_ignore

_OPEN = text("ended_at IS NULL")


class HoldRow(Base):
    """Nothing is claimed or armed while one of these has not ended. `tell_at`: ops are to be told then."""

    __tablename__ = "holds"
    __table_args__ = (
        Index("ix_holds_open", "cause", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cause: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(200))
    tell_at: Mapped[datetime | None]


NOTHING_HELD: ColumnElement[bool] = (
    select(func.count()).select_from(HoldRow).where(HoldRow.ended_at.is_(None)).scalar_subquery() == 0
)
"""A condition for statements that must not do anything while there is a hold: looked at once a statement."""


def begin_hold(session: Session, hold: Hold) -> bool:
    """Hold everything; return whether it was not held for this cause before.

    Ops are to be told of what the program does.
    """
    row = {
        "cause": hold.cause.value,
        "by": hold.by,
        "why": storable(hold.why),
        "since": hold.since,
        "ended_by": "",
        "tell_at": hold.since if hold.by == PROGRAM else None,
    }
    return session.scalar(insert_or_ignore(session, HoldRow, [row]).returning(HoldRow.id)) is not None


def worsen_hold(session: Session, hold: Hold, *, was: str) -> bool:
    """Let the hold that is open for this cause say what is worse; return whether it said `was` until then.

    Ops are told anew.
    """
    return (
        session.scalar(
            update(HoldRow)
            .where(HoldRow.cause == hold.cause, HoldRow.ended_at.is_(None), HoldRow.why == storable(was))
            .values(why=storable(hold.why), tell_at=hold.since)
            .returning(HoldRow.id)
            .execution_options(synchronize_session=False)
        )
        is not None
    )


def end_holds(session: Session, *, by: str, now: datetime) -> tuple[Hold, ...]:
    """Let everything go on; return the holds that this ended."""
    rows = session.scalars(
        update(HoldRow)
        .where(HoldRow.ended_at.is_(None))
        .values(ended_at=now, ended_by=by, tell_at=None)
        .returning(HoldRow)
        .execution_options(synchronize_session=False)
    ).all()
    return tuple(map(_hold, rows))


def open_holds(session: Session) -> tuple[Hold, ...]:
    """Return what holds everything now, oldest first: nothing, most of the time."""
    rows = session.scalars(select(HoldRow).where(HoldRow.ended_at.is_(None)).order_by(HoldRow.id))
    return tuple(map(_hold, rows))


def accepted_before(session: Session, cause: HoldCause) -> datetime | None:
    """Return until when what led to a hold for this cause was accepted by ending it, None for never.

    Of two clocks, that of whoever ended it may be behind the one that began it.
    """
    ended = session.execute(
        select(func.max(HoldRow.ended_at), func.max(HoldRow.since)).where(
            HoldRow.cause == cause, HoldRow.ended_at.is_not(None)
        )
    ).one()
    return max(filter(None, ended), default=None)


def claim_untold_holds(session: Session, *, now: datetime, again: timedelta) -> tuple[tuple[int, Hold], ...]:
    """Return the holds that ops are to be told of now. Whoever dies at it leaves them due `again` later."""
    rows = session.scalars(
        update(HoldRow)
        .where(HoldRow.tell_at <= now, HoldRow.ended_at.is_(None))
        .values(tell_at=now + again)
        .returning(HoldRow)
        .execution_options(synchronize_session=False)
    ).all()
    return tuple((row.id, _hold(row)) for row in rows)


def note_hold_told(session: Session, hold_id: int) -> None:
    """Note that ops have been told of a hold."""
    session.execute(update(HoldRow).where(HoldRow.id == hold_id).values(tell_at=None))


def _hold(row: HoldRow) -> Hold:
    return Hold(HoldCause(row.cause), row.by, row.why, row.since)
