"""What ops order of runs: begin one now, begin one anew, leave a date out, put it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from digest.domain.issues import IssueId
from digest.domain.schedules import Occurrence, OccurrenceId, OccurrenceState, ScheduleId, Stage
from digest.store.base import storable
from digest.store.schedules import OccurrenceRow, ScheduleRow, as_occurrence


def find_occurrence_on(session: Session, schedule_id: ScheduleId, day: date) -> Occurrence | None:
    """Return the schedule's run of a local date, None when that has none."""
    row = session.scalar(
        select(OccurrenceRow).where(OccurrenceRow.schedule_id == schedule_id, OccurrenceRow.local_date == day)
    )
    return None if row is None else as_occurrence(row)


def has_run(session: Session, issue_id: IssueId) -> bool:
    """Whether a run has come to this issue: its hour is over."""
    found = select(OccurrenceRow.id).where(OccurrenceRow.issue_id == issue_id).limit(1)
    return session.scalar(found) is not None


def begin_anew(
    session: Session,
    occurrence: Occurrence,
    *,
    stage: Stage,
    due_at: datetime,
    note: str,
) -> bool:
    """Let a run that ended go on at `stage`; return False when its state is another by now."""
    begun = session.scalar(
        update(OccurrenceRow)
        .where(OccurrenceRow.id == occurrence.id, OccurrenceRow.state == occurrence.state.value)
        .values(
            state=OccurrenceState.RUNNING.value,
            stage=stage.value,
            due_at=due_at,
            note=storable(note),
            lease_until=None,
            attempts=0,
        )
        .returning(OccurrenceRow.id)
        .execution_options(synchronize_session=False)
    )
    return begun is not None


def skipped_ahead(
    session: Session, schedules: Collection[ScheduleId], *, now: datetime
) -> Mapping[tuple[ScheduleId, date], OccurrenceId]:
    """Return the dates to come that were left out, by schedule and local date, each with its run's number."""
    rows = session.execute(
        select(OccurrenceRow.schedule_id, OccurrenceRow.local_date, OccurrenceRow.id).where(
            OccurrenceRow.schedule_id.in_(list(schedules)),
            OccurrenceRow.state == OccurrenceState.SKIPPED.value,
            OccurrenceRow.due_at > now,
        )
    )
    return {(ScheduleId(schedule), day): OccurrenceId(number) for schedule, day, number in rows}


def put_back(session: Session, skipped: Occurrence) -> bool:
    """Forget that a date to come was left out; return False when it is not left out any more."""
    gone = session.scalar(
        delete(OccurrenceRow)
        .where(OccurrenceRow.id == skipped.id, OccurrenceRow.state == OccurrenceState.SKIPPED.value)
        .returning(OccurrenceRow.id)
    )
    if gone is None:
        return False
    session.execute(
        update(ScheduleRow)
        .where(ScheduleRow.id == skipped.schedule_id, ScheduleRow.next_due > skipped.due_at)
        .values(next_due=skipped.due_at)
        .execution_options(synchronize_session=False)
    )
    return True
