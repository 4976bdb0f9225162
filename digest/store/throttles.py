"""Slots that workers take turns by: one row for each thing that has a cap, shared by all hosts.

A slot is a moment at which one mail may leave. Who takes slots locks the row, so two workers never get the
same one. The rows also count what was taken, by minute, for whoever looks at them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import String, bindparam, select, tuple_, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base
from digest.store.database import insert_or_ignore


class Scope(StrEnum):
    """What a cap is on."""

    ALL = "all"
    RELAY = "relay"
    GROUP = "group"


@dataclass(frozen=True, slots=True, order=True)
class Capped:
    """One thing that has a cap: everything, a relay, or the receivers that one operator serves."""

    scope: Scope
    name: str = ""

    def __str__(self) -> str:
        return {Scope.ALL: "everything", Scope.RELAY: f"relay {self.name}"}.get(self.scope, self.name)


@dataclass(frozen=True, slots=True)
class Slots:
    """How far slots are taken, in seconds since 1970.

    `last` is the last slot that was taken, `promised` the last one that somebody was put off to.
    """

    last: float = 0.0
    promised: float = 0.0


@dataclass(frozen=True, slots=True)
class Use:
    """Slots taken in the minute `minute` (since 1970), and in the one before it."""

    minute: int = 0
    taken: int = 0
    before: int = 0

    def plus(self, count: int, *, now: datetime) -> Use:
        """Return the count with so many more taken now."""
        minute = int(now.timestamp() // 60)
        if minute == self.minute:
            return replace(self, taken=self.taken + count)
        return Use(minute, count, self.taken if minute == self.minute + 1 else 0)

    def in_last_minute(self, *, now: datetime) -> int:
        """Return how many were taken in the 60 s before `now`, as far as two counts can tell."""
        counted = self.plus(0, now=now)
        return round(counted.taken + counted.before * (1 - now.timestamp() % 60 / 60))


class ThrottleRow(Base):
    """The slots of one thing that has, or had, a cap."""

    __tablename__ = "throttles"

    scope: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    last: Mapped[float]
    promised: Mapped[float]
    minute: Mapped[int]
    taken: Mapped[int]
    before: Mapped[int]


class WarmUpDayRow(Base):
    """How many mails were let go on a day (UTC) of the warm-up."""

    __tablename__ = "warm_up_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    taken: Mapped[int]


_COUNTS = ("last", "promised", "minute", "taken", "before")


def lock_slots(session: Session, those: Collection[Capped]) -> Mapping[Capped, tuple[Slots, Use]]:
    """Return how far the slots of each are taken, and keep everybody else from them until the commit."""
    if not those:
        return {}
    # Always in one order: two workers that wait for each other's rows would wait for ever.
    keys = sorted(those)
    nothing = dict.fromkeys(_COUNTS, 0)
    session.execute(
        insert_or_ignore(session, ThrottleRow, [{"scope": k.scope, "name": k.name, **nothing} for k in keys])
    )
    rows = session.scalars(
        select(ThrottleRow)
        .where(tuple_(ThrottleRow.scope, ThrottleRow.name).in_([(k.scope.value, k.name) for k in keys]))
        .order_by(ThrottleRow.scope, ThrottleRow.name)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {_capped(row): (Slots(row.last, row.promised), _use(row)) for row in rows}


def save_slots(session: Session, those: Mapping[Capped, tuple[Slots, Use]]) -> None:
    """Keep how far slots are taken that `lock_slots` gave."""
    if not those:
        return
    table = ThrottleRow.__table__
    session.connection().execute(
        update(ThrottleRow)
        .where(table.c.scope == bindparam("b_scope"), table.c.name == bindparam("b_name"))
        .values({column: bindparam(f"b_{column}") for column in _COUNTS}),
        [
            {
                "b_scope": capped.scope.value,
                "b_name": capped.name,
                "b_last": slots.last,
                "b_promised": slots.promised,
                "b_minute": use.minute,
                "b_taken": use.taken,
                "b_before": use.before,
            }
            for capped, (slots, use) in sorted(those.items(), key=lambda item: item[0])
        ],
    )


def look_at_slots(session: Session) -> Mapping[Capped, tuple[Slots, Use]]:
    """Return how far the slots of everything are taken, without keeping anybody from them."""
    return {
        _capped(row): (Slots(row.last, row.promised), _use(row))
        for row in session.scalars(select(ThrottleRow))
    }


def _capped(row: ThrottleRow) -> Capped:
    return Capped(Scope(row.scope), row.name)


def _use(row: ThrottleRow) -> Use:
    return Use(row.minute, row.taken, row.before)


def let_go_on(session: Session, day: date, *, lock: bool = False) -> int:
    """Return how many mails were let go on a day of the warm-up; `lock`: until the commit nobody else may."""
    query = select(WarmUpDayRow.taken).where(WarmUpDayRow.day == day)
    if lock:
        session.execute(insert_or_ignore(session, WarmUpDayRow, [{"day": day, "taken": 0}]))
        query = query.with_for_update()
    return session.scalar(query) or 0


def let_go(session: Session, day: date, count: int) -> None:
    """Count mails let go on a day of the warm-up; fewer than 0 were given back."""
    session.execute(
        update(WarmUpDayRow).where(WarmUpDayRow.day == day).values(taken=WarmUpDayRow.taken + count)
    )
