"""What receivers put up with, as their answers have shown: a row for each group that ever complained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, Text, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base, storable
from digest.store.database import insert_or_ignore


class ReceiverRow(Base):
    """A group of receivers whose servers said that we are too fast, or unwanted.

    `reduced` is the rate (mails a second) it was brought down to at `halved_at`, `full` the one before the
    first complaint, to which it grows back. The counts are of answers since `since`.
    """

    __tablename__ = "receivers"

    group: Mapped[str] = mapped_column(String(255), primary_key=True)
    since: Mapped[datetime]
    answers: Mapped[int]
    slowed: Mapped[int]
    refused: Mapped[int]
    halved_at: Mapped[datetime | None]
    halved_why: Mapped[str] = mapped_column(Text)
    reduced: Mapped[float | None]
    full: Mapped[float | None]
    paused_at: Mapped[datetime | None]
    paused_why: Mapped[str] = mapped_column(Text)
    told_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Receiver:
    """How a group stands: slowed down to `reduced` mails a second and growing back to `full`, or paused.

    `halved_why` and `paused_why` are the server's words, or those of whoever paused it.
    """

    group: str
    halved_at: datetime | None = None
    halved_why: str = ""
    reduced: float | None = None
    full: float | None = None
    paused_at: datetime | None = None
    paused_why: str = ""


def limited_receivers(session: Session) -> tuple[Receiver, ...]:
    """Return the groups that are paused or were slowed down, by name; () where all goes well."""
    rows = session.scalars(
        select(ReceiverRow)
        .where(or_(ReceiverRow.paused_at.is_not(None), ReceiverRow.reduced.is_not(None)))
        .order_by(ReceiverRow.group)
        .execution_options(populate_existing=True)
    )
    return tuple(map(as_receiver, rows))


def lock_receiver(session: Session, group: str, *, now: datetime) -> ReceiverRow:
    """Return the row of a group, made when there was none; nobody else changes it until the commit."""
    nothing = {"answers": 0, "slowed": 0, "refused": 0, "halved_why": "", "paused_why": ""}
    session.execute(insert_or_ignore(session, ReceiverRow, [{"group": group, "since": now, **nothing}]))
    return session.scalars(
        select(ReceiverRow)
        .where(ReceiverRow.group == group)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def pause_receiver(row: ReceiverRow, why: str, *, now: datetime, is_told: bool) -> None:
    """Hold back what goes to a group; `is_told`: whoever did it knows, and nobody else need be told."""
    row.paused_at, row.paused_why = now, storable(why)[:500]
    row.told_at = now if is_told else None


def resume_receiver(row: ReceiverRow, *, now: datetime) -> None:
    """Let go again what goes to a group, and count its answers anew."""
    row.paused_at, row.paused_why, row.told_at = None, "", None
    row.since, row.answers, row.slowed, row.refused = now, 0, 0, 0


def claim_untold(session: Session, *, now: datetime) -> Sequence[Receiver]:
    """Return the paused groups that nobody has told ops of, and count them as told by this caller."""
    groups = session.scalars(
        update(ReceiverRow)
        .where(ReceiverRow.paused_at.is_not(None), ReceiverRow.told_at.is_(None))
        .values(told_at=now)
        .returning(ReceiverRow.group)
        .execution_options(synchronize_session=False)
    ).all()
    return [one for one in limited_receivers(session) if one.group in groups]


def has_untold(session: Session) -> bool:
    """Whether a group was paused that nobody has told ops of."""
    untold = select(ReceiverRow.group).where(
        ReceiverRow.paused_at.is_not(None), ReceiverRow.told_at.is_(None)
    )
    return session.scalar(untold.limit(1)) is not None


def untell(session: Session, groups: Sequence[str]) -> None:
    """Have ops told of these groups again: the mail about them did not leave."""
    session.execute(update(ReceiverRow).where(ReceiverRow.group.in_(groups)).values(told_at=None))


def as_receiver(row: ReceiverRow) -> Receiver:
    """Return a row as a value."""
    return Receiver(
        row.group, row.halved_at, row.halved_why, row.reduced, row.full, row.paused_at, row.paused_why
    )
