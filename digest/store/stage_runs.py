"""What each stage of a scheduled run came to: a row for each attempt, so that ops see where time went."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.newsletters import NewsletterId
from digest.domain.runs import ScheduledRun, StageOutcome, StageRun
from digest.domain.schedules import OccurrenceId, OccurrenceState, Stage
from digest.store.base import Base, storable
from digest.store.newsletters import NewsletterRow
from digest.store.schedules import OccurrenceRow, ScheduleRow, as_occurrence


class StageRunRow(Base):
    """One attempt at one stage of a run. It stays open when its worker dies."""

    __tablename__ = "stage_runs"
    __table_args__ = (Index(None, "occurrence_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    occurrence_id: Mapped[int] = mapped_column(ForeignKey("occurrences.id", ondelete="CASCADE"))
    stage: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16))
    told: Mapped[str] = mapped_column(Text)


def begin_stage(
    session: Session, occurrence_id: OccurrenceId, stage: Stage, *, attempt: int, now: datetime
) -> int:
    """Note that a stage begins; return the row's number, for `end_stage`."""
    row = StageRunRow(occurrence_id=occurrence_id, stage=stage.value, attempt=attempt, began_at=now, told="")
    session.add(row)
    session.flush()
    return row.id


def end_stage(session: Session, number: int, outcome: StageOutcome, *, told: str, now: datetime) -> None:
    """Note what a stage that was begun came to."""
    session.execute(
        update(StageRunRow)
        .where(StageRunRow.id == number)
        .values(ended_at=now, outcome=outcome.value, told=storable(told))
    )


def stages_of(session: Session, occurrence_id: OccurrenceId) -> tuple[StageRun, ...]:
    """Return every attempt at the stages of a run, in order. Empty: its first is still to begin."""
    rows = session.scalars(
        select(StageRunRow).where(StageRunRow.occurrence_id == occurrence_id).order_by(StageRunRow.id)
    )
    return tuple(
        StageRun(
            Stage(row.stage),
            row.attempt,
            row.began_at,
            row.ended_at,
            None if row.outcome is None else StageOutcome(row.outcome),
            row.told,
        )
        for row in rows
    )


def condensed_until(session: Session, newsletter_id: NewsletterId, *, before: datetime) -> datetime | None:
    """Return when the newsletter's last run that was due before a moment had condensed; None for no run.

    A run that never came so far counts by when it was due.
    """
    due, ended = session.execute(
        select(func.max(OccurrenceRow.due_at), func.max(StageRunRow.ended_at))
        .join(ScheduleRow, ScheduleRow.id == OccurrenceRow.schedule_id)
        .outerjoin(
            StageRunRow,
            (StageRunRow.occurrence_id == OccurrenceRow.id) & (StageRunRow.stage == Stage.CONDENSE.value),
        )
        .where(ScheduleRow.newsletter_id == newsletter_id, OccurrenceRow.due_at < before)
    ).one()
    return max(filter(None, (due, ended)), default=None)


def list_runs(
    session: Session, *, state: OccurrenceState | None = None, before: int | None = None, limit: int
) -> tuple[ScheduledRun, ...]:
    """Return runs, the newest first: those in one state, those behind the run numbered `before`."""
    query = _RUNS.order_by(OccurrenceRow.id.desc()).limit(limit)
    if state is not None:
        query = query.where(OccurrenceRow.state == state.value)
    if before is not None:
        query = query.where(OccurrenceRow.id < before)
    return tuple(_run(*row) for row in session.execute(query))


def find_run(session: Session, occurrence_id: int) -> ScheduledRun | None:
    """Return a run, None when there is no such number."""
    row = session.execute(_RUNS.where(OccurrenceRow.id == occurrence_id)).first()
    return None if row is None else _run(*row)


def count_runs(session: Session, *states: OccurrenceState) -> int:
    """Return how many runs are in any of these states."""
    query = select(func.count()).where(OccurrenceRow.state.in_([state.value for state in states]))
    return session.scalar(query) or 0


_RUNS = (
    select(OccurrenceRow, NewsletterRow.slug, ScheduleRow.timezone)
    .join(ScheduleRow, ScheduleRow.id == OccurrenceRow.schedule_id)
    .join(NewsletterRow, NewsletterRow.id == ScheduleRow.newsletter_id)
)


def _run(row: OccurrenceRow, newsletter: str, timezone: str) -> ScheduledRun:
    return ScheduledRun(as_occurrence(row), newsletter, timezone, row.lease_until)
