"""Schedules and their occurrences. The due date is a column, claimed by a conditional update."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import NotFound
from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.schedules import (
    Occurrence,
    OccurrenceId,
    OccurrenceState,
    Schedule,
    ScheduleId,
    Stage,
)
from digest.domain.times import OwnHour, zone
from digest.store.base import Base, storable
from digest.store.issues import IssueRow, get_issue, let_leave


class ScheduleRow(Base):
    """When a newsletter is due."""

    __tablename__ = "schedules"
    __table_args__ = (Index(None, "next_due"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    cron: Mapped[str] = mapped_column(String(100))
    timezone: Mapped[str] = mapped_column(String(64))
    window_days: Mapped[int]
    next_due: Mapped[datetime]
    is_paused: Mapped[bool]
    created_at: Mapped[datetime]


class OccurrenceRow(Base):
    """One due date. The unique local date settles double clicks, two beats and clocks that go back."""

    __tablename__ = "occurrences"
    __table_args__ = (UniqueConstraint("schedule_id", "local_date"), Index(None, "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    local_date: Mapped[date]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str] = mapped_column(String(16))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(Text)
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int]
    created_at: Mapped[datetime]


def add_schedule(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    cron: str,
    timezone: str,
    window_days: int,
    next_due: datetime,
    now: datetime,
) -> Schedule:
    """Store a schedule whose rule was checked."""
    row = ScheduleRow(
        newsletter_id=newsletter_id,
        cron=cron,
        timezone=timezone,
        window_days=window_days,
        next_due=next_due,
        is_paused=False,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return _schedule(row)


def list_schedules(session: Session, newsletter_id: NewsletterId | None = None) -> tuple[Schedule, ...]:
    """Return schedules, soonest first: one newsletter's or all."""
    query = select(ScheduleRow).order_by(ScheduleRow.next_due, ScheduleRow.id)
    if newsletter_id is not None:
        query = query.where(ScheduleRow.newsletter_id == newsletter_id)
    return tuple(map(_schedule, session.scalars(query)))


def get_schedule(session: Session, schedule_id: int, *, to_change: bool = False) -> Schedule:
    """Return a schedule, which nobody else changes meanwhile where it is got `to_change`. `NotFound`."""
    row = session.get(ScheduleRow, schedule_id, with_for_update={"key_share": True} if to_change else None)
    if row is None:
        raise NotFound(f"no schedule {schedule_id}: 'digest schedule list' shows those there are")
    return _schedule(row)


def remove_schedule(session: Session, schedule_id: ScheduleId) -> None:
    """Remove a schedule and the record of its occurrences. Issues stay."""
    session.execute(delete(ScheduleRow).where(ScheduleRow.id == schedule_id))


def set_paused(session: Session, schedule_id: ScheduleId, *, paused: bool, next_due: datetime) -> None:
    """Pause or resume a schedule. `next_due` is counted anew, so that nothing missed fires on resuming."""
    session.execute(
        update(ScheduleRow).where(ScheduleRow.id == schedule_id).values(is_paused=paused, next_due=next_due)
    )


def change_schedule(
    session: Session,
    schedule_id: ScheduleId,
    *,
    cron: str,
    timezone: str,
    window_days: int,
    next_due: datetime,
) -> Schedule:
    """Give a schedule another rule that was checked. Raises `NotFound`."""
    row = session.scalar(
        update(ScheduleRow)
        .where(ScheduleRow.id == schedule_id)
        .values(cron=cron, timezone=timezone, window_days=window_days, next_due=next_due)
        .returning(ScheduleRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if row is None:
        raise NotFound(f"no schedule {schedule_id}: 'digest schedule list' shows those there are")
    return _schedule(row)


def due_schedules(session: Session, *, now: datetime) -> tuple[Schedule, ...]:
    """Return the schedules whose due date has come."""
    rows = session.scalars(
        select(ScheduleRow).where(ScheduleRow.next_due <= now, ScheduleRow.is_paused.is_(False))
    )
    return tuple(map(_schedule, rows))


def claim_due(session: Session, schedule: Schedule, *, next_due: datetime) -> bool:
    """Move a due schedule on; return whether this caller did it, or another was first."""
    claimed = session.scalar(
        update(ScheduleRow)
        .where(
            ScheduleRow.id == schedule.id,
            ScheduleRow.next_due == schedule.next_due,
            ScheduleRow.is_paused.is_(False),
        )
        .values(next_due=next_due)
        .returning(ScheduleRow.id)
        .execution_options(synchronize_session=False)
    )
    return claimed is not None


def add_occurrence(
    session: Session,
    schedule_id: ScheduleId,
    *,
    due_at: datetime,
    local_date: date,
    state: OccurrenceState,
    note: str,
    now: datetime,
) -> Occurrence | None:
    """Record a due date, or return None when its local date has been recorded before."""
    known = select(OccurrenceRow.id).where(
        OccurrenceRow.schedule_id == schedule_id, OccurrenceRow.local_date == local_date
    )
    if session.scalar(known) is not None:
        return None
    row = OccurrenceRow(
        schedule_id=schedule_id,
        local_date=local_date,
        due_at=due_at,
        state=state,
        stage=Stage.GATHER,
        note=note,
        attempts=0,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return as_occurrence(row)


def pending_occurrences(session: Session, *, now: datetime) -> tuple[Occurrence, ...]:
    """Return the running occurrences that no worker holds, oldest first."""
    rows = session.scalars(
        select(OccurrenceRow)
        .where(
            OccurrenceRow.state == OccurrenceState.RUNNING,
            or_(OccurrenceRow.lease_until.is_(None), OccurrenceRow.lease_until < now),
        )
        .order_by(OccurrenceRow.due_at, OccurrenceRow.id)
    )
    return tuple(map(as_occurrence, rows))


def list_occurrences(session: Session, schedule_id: ScheduleId, *, limit: int) -> tuple[Occurrence, ...]:
    """Return the schedule's last occurrences, newest first."""
    rows = session.scalars(
        select(OccurrenceRow)
        .where(OccurrenceRow.schedule_id == schedule_id)
        .order_by(OccurrenceRow.local_date.desc())
        .limit(limit)
    )
    return tuple(map(as_occurrence, rows))


def occurrences_page(
    session: Session,
    *,
    limit: int,
    newsletter_id: NewsletterId | None = None,
    states: Collection[OccurrenceState] = (),
    before: int | None = None,
) -> tuple[Occurrence, ...]:
    """Return up to `limit` occurrences of all schedules, the newest first: those below `before`."""
    query = select(OccurrenceRow).order_by(OccurrenceRow.id.desc()).limit(limit)
    if newsletter_id is not None:
        query = query.join(ScheduleRow).where(ScheduleRow.newsletter_id == newsletter_id)
    if states:
        query = query.where(OccurrenceRow.state.in_(states))
    if before is not None:
        query = query.where(OccurrenceRow.id < before)
    return tuple(map(as_occurrence, session.scalars(query)))


def get_occurrence(session: Session, occurrence_id: int) -> Occurrence:
    """Return an occurrence. Raises `NotFound`."""
    row = session.get(OccurrenceRow, occurrence_id)
    if row is None:
        raise NotFound(f"no run {occurrence_id}: 'digest schedule runs' shows those there are")
    return as_occurrence(row)


def find_own_hour(session: Session, issue_id: IssueId) -> OwnHour | None:
    """Return the date and hour at which a schedule made the issue, or is to let it go.

    None when it was made by hand.
    """
    row = session.execute(
        select(OccurrenceRow.due_at, ScheduleRow.timezone)
        .join(ScheduleRow, ScheduleRow.id == OccurrenceRow.schedule_id)
        .where(OccurrenceRow.issue_id == issue_id)
        .order_by(OccurrenceRow.due_at)
        .limit(1)
    ).first()
    if row is not None:
        return OwnHour.of(row.due_at, zone(row.timezone))
    issue = get_issue(session, issue_id)
    if issue.state is not IssueState.DRAFT and not issue.awaits_hour:
        return None
    coming = (
        OwnHour.of(one.next_due, zone(one.timezone))
        for one in list_schedules(session, issue.newsletter_id)
        if not one.is_paused and one.covered_at(one.next_due) == issue.window
    )
    return next(coming, None)


def adopt_issue(session: Session, occurrence_id: OccurrenceId, issue_id: IssueId) -> None:
    """Let an issue that was approved before its hour be the one of a run, and go."""
    session.execute(
        update(OccurrenceRow)
        .where(OccurrenceRow.id == occurrence_id)
        .values(issue_id=issue_id)
        .execution_options(synchronize_session=False)
    )
    let_leave(session, issue_id)


def claim_occurrence(
    session: Session, occurrence_id: OccurrenceId, *, now: datetime, lease_until: datetime
) -> tuple[Occurrence, int] | None:
    """Take a running occurrence for one stage; return it and how often the stage was begun.

    None: another worker has it, or it ended.
    """
    row = session.scalar(
        update(OccurrenceRow)
        .where(
            OccurrenceRow.id == occurrence_id,
            OccurrenceRow.state == OccurrenceState.RUNNING,
            or_(OccurrenceRow.lease_until.is_(None), OccurrenceRow.lease_until < now),
        )
        .values(lease_until=lease_until, attempts=OccurrenceRow.attempts + 1)
        .returning(OccurrenceRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return None if row is None else (as_occurrence(row), row.attempts)


def record_stage(
    session: Session,
    occurrence_id: OccurrenceId,
    *,
    state: OccurrenceState,
    stage: Stage,
    issue_id: IssueId | None,
    note: str,
    lease_until: datetime,
) -> bool:
    """Give an occurrence back: the stage it stands at, its state, and what to tell ops.

    `lease_until` is the lease it was claimed with. False: the lease ran out and another has taken the run
    on since, so nothing changed.
    """
    recorded = session.scalar(
        update(OccurrenceRow)
        .where(OccurrenceRow.id == occurrence_id, OccurrenceRow.lease_until == lease_until)
        .values(
            state=state, stage=stage, issue_id=issue_id, note=storable(note), lease_until=None, attempts=0
        )
        .returning(OccurrenceRow.id)
        .execution_options(synchronize_session=False)
    )
    return recorded is not None


def put_off(session: Session, occurrence_id: OccurrenceId, *, lease_until: datetime, until: datetime) -> None:
    """Let nobody take an occurrence before `until`, when it is still claimed with this lease."""
    session.execute(
        update(OccurrenceRow)
        .where(OccurrenceRow.id == occurrence_id, OccurrenceRow.lease_until == lease_until)
        .values(lease_until=until)
        .execution_options(synchronize_session=False)
    )


def end_waiting(session: Session) -> None:
    """Close the occurrences that waited for an approval which has been given, or never will be."""
    still_drafts = select(IssueRow.id).where(IssueRow.state == IssueState.DRAFT)
    session.execute(
        update(OccurrenceRow)
        .where(OccurrenceRow.state == OccurrenceState.WAITING, OccurrenceRow.issue_id.not_in(still_drafts))
        .values(state=OccurrenceState.DONE, stage=Stage.SEND, note="")
        .execution_options(synchronize_session=False)
    )


def settle_held(session: Session, occurrence_id: int, *, run: bool) -> Occurrence:
    """Let ops judge a missed occurrence: run it after all, or skip it. Raises `NotFound`."""
    state = OccurrenceState.RUNNING if run else OccurrenceState.SKIPPED
    row = session.scalar(
        update(OccurrenceRow)
        .where(OccurrenceRow.id == occurrence_id, OccurrenceRow.state == OccurrenceState.HELD)
        .values(state=state)
        .returning(OccurrenceRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if row is None:
        raise NotFound(f"no held occurrence {occurrence_id}: 'digest schedule list' shows those there are")
    return as_occurrence(row)


def _schedule(row: ScheduleRow) -> Schedule:
    return Schedule(
        id=ScheduleId(row.id),
        newsletter_id=NewsletterId(row.newsletter_id),
        cron=row.cron,
        timezone=row.timezone,
        window_days=row.window_days,
        next_due=row.next_due,
        is_paused=row.is_paused,
    )


def as_occurrence(row: OccurrenceRow) -> Occurrence:
    """Return a row as a value."""
    return Occurrence(
        id=OccurrenceId(row.id),
        schedule_id=ScheduleId(row.schedule_id),
        local_date=row.local_date,
        due_at=row.due_at,
        state=OccurrenceState(row.state),
        stage=Stage(row.stage),
        issue_id=None if row.issue_id is None else IssueId(row.issue_id),
        note=row.note,
    )
