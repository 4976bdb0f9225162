"""Dry runs that were asked for on a page or over the API: claimed by a worker, kept with what they found."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, delete, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.dry_runs import DryRun, DryRunId, Found, ItemFound, SourceFound
from digest.domain.errors import NotFound
from digest.domain.newsletters import NewsletterId
from digest.domain.schedules import Schedule, ScheduleId
from digest.domain.times import Window
from digest.store.base import NEVER_AGAIN, Base, storable

KEPT = 20
"""Dry runs kept of each newsletter: nobody compares older ones."""

_OPEN = text("ended_at IS NULL")


class DryRunRow(Base):
    """A dry run. `told` is what it found, as JSON, `attempts` how often a worker took it up."""

    __tablename__ = "dry_runs"
    __table_args__ = (
        Index("ix_dry_runs_open", "newsletter_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "schedule_id"),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id", ondelete="SET NULL"))
    window_start: Mapped[datetime]
    window_end: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime]
    began_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int]
    ended_at: Mapped[datetime | None]
    told: Mapped[str] = mapped_column(Text)
    problem: Mapped[str] = mapped_column(Text)


def find_open(session: Session, newsletter_id: NewsletterId) -> DryRun | None:
    """Return the newsletter's dry run that is not over yet, None when there is none."""
    row = session.scalar(
        select(DryRunRow).where(DryRunRow.newsletter_id == newsletter_id, DryRunRow.ended_at.is_(None))
    )
    return None if row is None else _dry_run(row)


def add_dry_run(session: Session, schedule: Schedule, window: Window, *, by: str, now: datetime) -> DryRun:
    """Ask for a dry run of a schedule's newsletter, and forget the oldest ones.

    Raises `IntegrityError` where one is not over yet.
    """
    row = DryRunRow(
        newsletter_id=schedule.newsletter_id,
        schedule_id=schedule.id,
        window_start=window.start,
        window_end=window.end,
        asked_by=by,
        asked_at=now,
        attempts=0,
        told="",
        problem="",
    )
    session.add(row)
    session.flush()
    kept = (
        select(DryRunRow.id)
        .where(DryRunRow.newsletter_id == schedule.newsletter_id)
        .order_by(DryRunRow.id.desc())
        .limit(KEPT)
    )
    newest = session.scalars(kept).all()
    session.execute(
        delete(DryRunRow).where(
            DryRunRow.newsletter_id == schedule.newsletter_id, DryRunRow.id.not_in(newest)
        )
    )
    return _dry_run(row)


def get_dry_run(session: Session, number: int) -> DryRun:
    """Return a dry run. Raises `NotFound`."""
    row = session.get(DryRunRow, number, populate_existing=True)
    if row is None:
        raise NotFound(f"no dry run {number}: the last {KEPT} of each newsletter are kept")
    return _dry_run(row)


def last_dry_runs(session: Session, schedules: Collection[ScheduleId]) -> Mapping[ScheduleId, DryRun]:
    """Return the last dry run of each of these schedules that had one."""
    newest = (
        select(func.max(DryRunRow.id))
        .where(DryRunRow.schedule_id.in_(list(schedules)))
        .group_by(DryRunRow.schedule_id)
    )
    rows = session.scalars(select(DryRunRow).where(DryRunRow.id.in_(newest)))
    return {ScheduleId(row.schedule_id): _dry_run(row) for row in rows if row.schedule_id is not None}


def pending_dry_runs(session: Session, *, now: datetime) -> tuple[DryRunId, ...]:
    """Return the dry runs that no worker is at, the oldest first."""
    rows = session.scalars(
        select(DryRunRow.id)
        .where(
            DryRunRow.ended_at.is_(None), or_(DryRunRow.lease_until.is_(None), DryRunRow.lease_until < now)
        )
        .order_by(DryRunRow.id)
    )
    return tuple(map(DryRunId, rows))


def claim_dry_run(
    session: Session, number: DryRunId, *, now: datetime, lease_until: datetime
) -> tuple[DryRun, int] | None:
    """Take up a dry run; return it and how often that was done. None: it is over, or another has it."""
    row = session.scalar(
        update(DryRunRow)
        .where(
            DryRunRow.id == number,
            DryRunRow.ended_at.is_(None),
            or_(DryRunRow.lease_until.is_(None), DryRunRow.lease_until < now),
        )
        .values(lease_until=lease_until, began_at=now, attempts=DryRunRow.attempts + 1)
        .returning(DryRunRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return None if row is None else (_dry_run(row), row.attempts)


def give_dry_run_back(session: Session, number: DryRunId, *, lease_until: datetime) -> None:
    """Let another worker take up a dry run that was claimed with this lease: it was not tried."""
    session.execute(
        update(DryRunRow)
        .where(DryRunRow.id == number, DryRunRow.lease_until == lease_until, DryRunRow.ended_at.is_(None))
        .values(lease_until=None, began_at=None, attempts=DryRunRow.attempts - 1)
        .execution_options(synchronize_session=False)
    )


def end_dry_run(
    session: Session, number: DryRunId, *, found: Found | None, problem: str = "", now: datetime
) -> None:
    """Keep what a dry run came to. Of two workers that were at it the first one's stays."""
    told = json.dumps(asdict(found), ensure_ascii=False) if found else ""
    session.execute(
        update(DryRunRow)
        .where(DryRunRow.id == number, DryRunRow.ended_at.is_(None))
        .values(ended_at=now, lease_until=None, told=storable(told), problem=storable(problem))
        .execution_options(synchronize_session=False)
    )


def _dry_run(row: DryRunRow) -> DryRun:
    return DryRun(
        id=DryRunId(row.id),
        newsletter_id=NewsletterId(row.newsletter_id),
        schedule_id=None if row.schedule_id is None else ScheduleId(row.schedule_id),
        window=Window(row.window_start, row.window_end),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        found=_found(json.loads(row.told)) if row.told else None,
        problem=row.problem,
    )


def _found(told: Mapping[str, Any]) -> Found:
    lists = {
        "sources": tuple(SourceFound(**one) for one in told["sources"]),
        "items": tuple(ItemFound(**{**one, "topics": tuple(one["topics"])}) for one in told["items"]),
        "topics": tuple((name, count) for name, count in told["topics"]),
        "left_out": tuple((reason, count) for reason, count in told["left_out"]),
        "readers": tuple(told["readers"]),
    }
    return Found(**{**told, **lists})
