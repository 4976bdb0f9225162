"""What ops do with schedules and their runs, for commands and pages alike.

Each is one transaction. A worker takes up what is ordered here within seconds: it looks at the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from digest.domain.errors import Conflict, InvalidInput, Overtaken
from digest.domain.newsletters import NewsletterId
from digest.domain.schedules import Occurrence, OccurrenceState, Schedule, ScheduleId, Stage
from digest.domain.times import zone
from digest.pipeline.tidying import find_filled, tidy
from digest.runtime import Runtime
from digest.schedule.cron import dates_after, due_dates, next_due
from digest.store.audit import record
from digest.store.database import writing
from digest.store.newsletters import get_newsletter
from digest.store.ordered_runs import (
    begin_anew,
    find_occurrence_on,
    put_back,
    skipped_ahead,
)
from digest.store.schedules import (
    add_occurrence,
    add_schedule,
    change_schedule,
    claim_due,
    get_occurrence,
    get_schedule,
    list_schedules,
    remove_schedule,
    set_paused,
    settle_held,
)

log = structlog.get_logger(__name__)

WINDOW_MAX = 366
"""Days that an issue may cover at most."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A due date to come. `skipped` is the number of the run that leaves it out, None where it stays."""

    due_at: datetime
    skipped: int | None = None


def make_schedule(
    runtime: Runtime,
    newsletter: str,
    *,
    cron: str,
    timezone: str = "",
    window_days: int | None = None,
    by: str,
) -> Schedule:
    """Let a newsletter be made and sent at set times; without zone or days, the newsletter's own.

    Raises `InvalidInput` for a rule, zone or number of days that is none, `Conflict` where it has the same.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        # Who sends the form a second time waits here, and then finds the first one's.
        found = get_newsletter(session, newsletter, to_change=True)
        where = zone(timezone or found.timezone).key
        due = next_due(cron, where, after=now)
        days = _days(found.window_days if window_days is None else window_days)
        _refuse_same(session, found.id, cron, where, days)
        schedule = add_schedule(
            session, found.id, cron=cron, timezone=where, window_days=days, next_due=due, now=now
        )
        record(
            session,
            by=by,
            what="schedule.made",
            about=f"schedule {schedule.id} of {newsletter}",
            now=runtime.clock(),
            detail=f"{cron} in {where}",
        )
    log.info("schedule.made", schedule=schedule.id, rule=cron, by=by)
    return schedule


def reschedule(
    runtime: Runtime,
    schedule_id: int,
    *,
    cron: str | None = None,
    timezone: str | None = None,
    window_days: int | None = None,
    by: str,
    if_as: Callable[[Schedule], None] = lambda _: None,
) -> Schedule:
    """Change a schedule's rule, zone or days. Its next due date is counted from now.

    One that is as wanted stays as it is, with nothing recorded.
    `if_as` is given the schedule as it stands, which nobody else changes meanwhile, and refuses by raising.
    Raises `NotFound`, and `InvalidInput` and `Conflict` as `make_schedule` does.
    """
    with writing(runtime.engine) as session:
        found = get_schedule(session, schedule_id, to_change=True)
        if_as(found)
        rule = found.cron if cron is None else cron
        where = zone(found.timezone if timezone is None else timezone).key
        days = _days(found.window_days if window_days is None else window_days)
        if (rule, where, days) == (found.cron, found.timezone, found.window_days):
            return found
        draft = find_filled(session, found)
        due = _first_kept(session, found.id, rule, where, runtime.clock())
        _refuse_same(session, found.newsletter_id, rule, where, days, but=found.id)
        changed = change_schedule(
            session, found.id, cron=rule, timezone=where, window_days=days, next_due=due
        )
        record(
            session,
            by=by,
            what="schedule.changed",
            about=f"schedule {found.id}",
            now=runtime.clock(),
            detail=f"{rule} in {where}, {days} days; before: {found.cron} in {found.timezone}",
        )
        tidy(session, draft, by=by, now=runtime.clock())
    log.info("schedule.changed", schedule=schedule_id, rule=rule, zone=where, days=days, by=by)
    return changed


def _refuse_same(
    session: Session,
    newsletter: NewsletterId,
    cron: str,
    where: str,
    days: int,
    *,
    but: ScheduleId | None = None,
) -> None:
    """Raise `Conflict` where another schedule of the newsletter has the same rule, zone and days."""
    for known in list_schedules(session, newsletter):
        is_same = (known.cron.split(), known.timezone, known.window_days) == (cron.split(), where, days)
        if is_same and known.id != but:
            raise Conflict(
                f"schedule {known.id} makes the same issues already: {cron} in {where}, {days} days"
            )


def _days(count: int) -> int:
    if not 1 <= count <= WINDOW_MAX:
        raise InvalidInput(f"an issue covers 1 to {WINDOW_MAX} days, not {count}")
    return count


def _first_kept(
    session: Session, schedule_id: ScheduleId, cron: str, timezone: str, now: datetime
) -> datetime:
    """Return the first date after `now` that nobody left out."""
    first = next_due(cron, timezone, after=now)
    skipped = skipped_ahead(session, [schedule_id], now=now)
    tz = zone(timezone)
    kept = (
        due
        for due in due_dates(cron, timezone, after=now, count=len(skipped) + 1)
        if (schedule_id, due.astimezone(tz).date()) not in skipped
    )
    return next(kept, first)


def set_resting(runtime: Runtime, schedule_id: int, resting: bool, *, by: str) -> Schedule:
    """Let a schedule rest, or run again from its next date on: what came due meanwhile is not made up for."""
    with writing(runtime.engine) as session:
        found = get_schedule(session, schedule_id)
        draft = find_filled(session, found)
        due = _first_kept(session, found.id, found.cron, found.timezone, runtime.clock())
        set_paused(session, found.id, paused=resting, next_due=due)
        what = "schedule.paused" if resting else "schedule.resumed"
        record(session, by=by, what=what, about=f"schedule {schedule_id}", now=runtime.clock())
        tidy(session, draft, by=by, now=runtime.clock())
        found = get_schedule(session, schedule_id)
    if resting:
        log.info("schedule.paused", schedule=schedule_id, by=by)
    else:
        log.info("schedule.resumed", schedule=schedule_id, by=by)
    return found


def end_schedule(runtime: Runtime, schedule_id: int, *, by: str) -> None:
    """Remove a schedule and the record of its runs. Issues stay, but for a draft that nobody touched.

    Raises `NotFound`.
    """
    with writing(runtime.engine) as session:
        gone = get_schedule(session, schedule_id)
        draft = find_filled(session, gone)
        remove_schedule(session, gone.id)
        record(
            session,
            by=by,
            what="schedule.removed",
            about=f"schedule {schedule_id}",
            now=runtime.clock(),
            detail=f"{gone.cron} in {gone.timezone}",
        )
        tidy(session, draft, by=by, now=runtime.clock())
    log.info("schedule.removed", schedule=schedule_id, by=by)


def coming_dates(session: Session, schedule: Schedule, *, now: datetime, count: int) -> tuple[Coming, ...]:
    """Return the next dates, those that were left out among them; `count` of the others."""
    skipped = skipped_ahead(session, [schedule.id], now=now)
    tz = zone(schedule.timezone)
    dates = due_dates(schedule.cron, schedule.timezone, after=now, count=count + len(skipped))
    found = [Coming(due, skipped.get((schedule.id, due.astimezone(tz).date()))) for due in dates]
    spare = max(0, sum(one.skipped is None for one in found) - count)
    return tuple(found[: len(found) - spare])


def skip_next(runtime: Runtime, schedule_id: int, *, by: str) -> Occurrence:
    """Leave out a schedule's next date; return what records it.

    Raises `Conflict` for a schedule that is paused, or whose date was run before its hour.
    """
    with writing(runtime.engine) as session:
        found = get_schedule(session, schedule_id)
        if found.is_paused:
            raise Conflict(
                f"schedule {schedule_id} is paused, so nothing is due: 'digest schedule resume "
                f"{schedule_id}' lets it run"
            )
        draft = find_filled(session, found)
        day = found.next_due.astimezone(zone(found.timezone)).date()
        if not claim_due(session, found, next_due=_date_after(found)):
            raise Overtaken(f"schedule {schedule_id} came due at this moment, so nothing was left out")
        skipped = add_occurrence(
            session,
            found.id,
            due_at=found.next_due,
            local_date=day,
            state=OccurrenceState.SKIPPED,
            note=f"left out by {by}",
            now=runtime.clock(),
        )
        if skipped is None:
            raise Conflict(f"the run of {day} was begun before its hour: there is nothing to leave out")
        record(
            session,
            by=by,
            what="schedule.skipped",
            about=f"schedule {schedule_id}, {day}",
            now=runtime.clock(),
        )
        tidy(session, draft, by=by, now=runtime.clock())
    log.info("schedule.skipped", schedule=schedule_id, date=str(day), by=by)
    return skipped


def _date_after(schedule: Schedule) -> datetime:
    """Return the due date on the first local date after the next one."""
    tz = zone(schedule.timezone)
    day = schedule.next_due.astimezone(tz).date()
    for due in dates_after(schedule.cron, schedule.timezone, after=schedule.next_due):
        if due.astimezone(tz).date() != day:
            return due
    raise Conflict(
        f"no date of schedule {schedule.id} comes after {day}: 'digest schedule remove {schedule.id}' ends it"
    )


def take_back_skip(runtime: Runtime, occurrence_id: int, *, by: str) -> Occurrence:
    """Let a date to come that was left out be due after all. Raises `NotFound` and `Conflict`."""
    with writing(runtime.engine) as session:
        found = get_occurrence(session, occurrence_id)
        if found.due_at <= runtime.clock() or not put_back(session, found):
            raise Conflict(
                f"run {occurrence_id} is no date to come that was left out: it stays {found.state}. "
                f"'digest schedule start {found.schedule_id}' begins a run now"
            )
        record(
            session,
            by=by,
            what="schedule.put_back",
            about=f"schedule {found.schedule_id}, {found.local_date}",
            now=runtime.clock(),
        )
    log.info("schedule.put_back", schedule=found.schedule_id, date=str(found.local_date), by=by)
    return found


_UNDER_WAY = (OccurrenceState.RUNNING, OccurrenceState.WAITING)


def start_now(runtime: Runtime, schedule_id: int, *, by: str) -> Occurrence:
    """Begin today's run of a schedule now, before its hour or again; return it.

    It covers the days that it would have covered at its hour, which then makes no other. Raises `Conflict`
    when today's run is under way, or has made an issue.
    """
    now, note = runtime.clock(), f"begun by {by}"
    with writing(runtime.engine) as session:
        schedule = get_schedule(session, schedule_id)
        day = now.astimezone(zone(schedule.timezone)).date()
        known = find_occurrence_on(session, schedule.id, day)
        if known is None:
            known = add_occurrence(
                session,
                schedule.id,
                due_at=now,
                local_date=day,
                state=OccurrenceState.RUNNING,
                note=note,
                now=now,
            )
            assert known is not None
        else:
            _refuse_twice(known)
            if not begin_anew(session, known, stage=Stage.GATHER, due_at=now, note=note):
                raise Overtaken(f"run {known.id} changed at this moment: look again")
            known = get_occurrence(session, known.id)
        record(session, by=by, what="run.ordered", about=f"run {known.id}, {day}", now=now)
    log.info("run.ordered", occurrence=known.id, schedule=schedule_id, by=by)
    return known


def _refuse_twice(known: Occurrence) -> None:
    if known.state in _UNDER_WAY:
        raise Conflict(f"run {known.id} of {known.local_date} is under way: it stands at '{known.stage}'")
    if known.state is OccurrenceState.DONE and known.issue_id is not None:
        raise Conflict(
            f"run {known.id} of {known.local_date} made issue {known.issue_id}: a second run of the same "
            "days makes no other"
        )


def retry(runtime: Runtime, occurrence_id: int, *, stage: Stage | None = None, by: str) -> Occurrence:
    """Let a run that failed go on where it stopped, or from an earlier `stage`; return it.

    Raises `NotFound`, `Conflict` for a run that did not fail, `InvalidInput` for a later stage.
    """
    with writing(runtime.engine) as session:
        found = get_occurrence(session, occurrence_id)
        if found.state is not OccurrenceState.FAILED:
            raise Conflict(f"run {occurrence_id} is {found.state}: only one that failed can be tried again")
        again = stage or found.stage
        if (order := list(Stage)).index(again) > order.index(found.stage):
            raise InvalidInput(
                f"run {occurrence_id} stopped at '{found.stage}': it can go on there or at an earlier "
                f"stage, not at '{again}'"
            )
        note = f"tried again by {by}"
        if not begin_anew(session, found, stage=again, due_at=found.due_at, note=note):
            raise Overtaken(f"run {occurrence_id} changed at this moment: look again")
        about = f"run {occurrence_id} from '{again}'"
        record(session, by=by, what="run.retried", about=about, now=runtime.clock())
        found = get_occurrence(session, occurrence_id)
    log.info("run.retried", occurrence=occurrence_id, stage=again, by=by)
    return found


def settle_missed(runtime: Runtime, occurrence_id: int, *, run: bool, by: str) -> Occurrence:
    """Run a missed date after all, or leave it out. Raises `NotFound` when it waits for nobody."""
    with writing(runtime.engine) as session:
        settled = settle_held(session, occurrence_id, run=run)
        about = f"run {occurrence_id}, {'run after all' if run else 'left out'}"
        record(session, by=by, what="run.settled", about=about, now=runtime.clock())
    log.info("run.settled", occurrence=occurrence_id, runs=run, by=by)
    return settled
