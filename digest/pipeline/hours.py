"""When an approved issue leaves: at the hour of its schedule, and what may come between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy.orm import Session

from digest.domain.errors import Conflict, InvalidInput
from digest.domain.issues import Issue, IssueState
from digest.domain.schedules import OccurrenceId, OccurrenceState, Schedule
from digest.domain.times import Window, by_the_clock, zone
from digest.runtime import Runtime
from digest.schedule.cron import dates_after
from digest.store.audit import record
from digest.store.database import writing
from digest.store.issues import let_leave, lock_issue
from digest.store.ordered_runs import find_occurrence_on, has_run
from digest.store.schedules import list_schedules

log = structlog.get_logger(__name__)


class Course(StrEnum):
    """What there is to let an issue of some days go, the first that holds."""

    BEGUN = "begun"
    """Its run has begun: nothing is to be waited for."""
    COMING = "coming"
    MISSED = "missed"
    """Its run was missed, and is held for ops."""
    FAILED = "failed"
    """Its run failed before it came to the issue."""
    LEFT_OUT = "left_out"
    RESTS = "rests"
    """Its schedule is paused."""
    BY_HAND = "by_hand"
    """No schedule makes an issue of these days, or none does any more."""


@dataclass(frozen=True, slots=True)
class Hour:
    """The date of a schedule whose issue covers an issue's days. `run` is its number once it is recorded.

    `at` is None where there is no such date.
    """

    course: Course
    at: datetime | None = None
    timezone: str = "UTC"
    run: OccurrenceId | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether an issue that is approved now waits, for the hour or for somebody's word."""
        return self.course not in (Course.BEGUN, Course.BY_HAND)


_OF_RUN: Mapping[OccurrenceState, Course] = {
    OccurrenceState.RUNNING: Course.BEGUN,
    OccurrenceState.WAITING: Course.BEGUN,
    OccurrenceState.DONE: Course.BEGUN,
    OccurrenceState.HELD: Course.MISSED,
    OccurrenceState.FAILED: Course.FAILED,
    OccurrenceState.SKIPPED: Course.LEFT_OUT,
}
_ORDER = tuple(Course)
_LATEST = datetime.max.replace(tzinfo=UTC)


def hour_of(session: Session, issue: Issue, *, now: datetime) -> Hour:
    """Return what lets an issue go: of several schedules of its days the first that does."""
    if has_run(session, issue.id):
        return Hour(Course.BEGUN)
    found = [
        hour
        for schedule in list_schedules(session, issue.newsletter_id)
        if (hour := _hour(session, schedule, issue.window, now))
    ]
    return min(
        found, key=lambda one: (_ORDER.index(one.course), one.at or _LATEST), default=Hour(Course.BY_HAND)
    )


def _hour(session: Session, schedule: Schedule, window: Window, now: datetime) -> Hour | None:
    try:
        day = schedule.date_of(window)
    except InvalidInput:
        # Its zone has left the zone database, and it makes nothing.
        return None
    if day is None:
        return None
    run = find_occurrence_on(session, schedule.id, day)
    if run is not None:
        return Hour(_OF_RUN[run.state], run.due_at, schedule.timezone, run.id)
    due_at = _due_on(schedule, day, window, now)
    if due_at is None:
        return None
    return Hour(Course.RESTS if schedule.is_paused else Course.COMING, due_at, schedule.timezone)


def _due_on(schedule: Schedule, day: date, window: Window, now: datetime) -> datetime | None:
    """Return when a schedule is due on a date that is still to come, None when it is not."""
    tz = zone(schedule.timezone)
    if schedule.next_due.astimezone(tz).date() == day:
        return schedule.next_due
    # A run begun by hand covers the days of a date on which the rule is never due.
    before = max(now, schedule.next_due, window.end - timedelta(seconds=1))
    due_at = next(dates_after(schedule.cron, schedule.timezone, after=before), None)
    return due_at if due_at is not None and due_at.astimezone(tz).date() == day else None


def leaves_at(session: Session, issue: Issue, *, now: datetime) -> datetime | None:
    """Return the hour to come that an approved issue waits for, None where it waits for none."""
    if issue.state is not IssueState.APPROVED or not issue.awaits_hour:
        return None
    hour = hour_of(session, issue, now=now)
    return hour.at if hour.course is Course.COMING else None


def leaves_in_words(issue: Issue, hour: Hour) -> str:
    """Return in a sentence when an approved issue leaves, or what it waits for; '' for any other."""
    if issue.state is not IssueState.APPROVED:
        return ""
    if not issue.awaits_hour or hour.course is Course.BEGUN:
        return "It goes out next."
    match hour.course:
        case Course.COMING:
            return f"It leaves at {_clock(hour)}."
        case Course.MISSED:
            return f"Its hour, {_clock(hour)}, was missed: run {hour.run} is to be done now, or left out."
        case Course.FAILED:
            return f"Run {hour.run}, which was to let it go, failed."
        case Course.LEFT_OUT:
            return "Its date was left out, so nothing sends it by itself."
        case Course.RESTS:
            return "Its schedule rests, so nothing sends it by itself."
        case _:
            return "No schedule is to send it any more."


def would_leave_in_words(hour: Hour) -> str:
    """Return in a sentence when a draft leaves that is approved now."""
    match hour.course:
        case Course.COMING:
            return f"Once approved, it waits for its hour and leaves at {_clock(hour)}."
        case Course.MISSED:
            return (
                f"Its hour, {_clock(hour)}, was missed: approved, it waits until run {hour.run} is done "
                "after all, or somebody sends it."
            )
        case Course.FAILED:
            return f"Run {hour.run} of it failed: approved, it waits until that is tried again."
        case Course.LEFT_OUT:
            return "Its date was left out: approved, it waits until somebody sends it."
        case Course.RESTS:
            return "Its schedule rests: approved, it waits until that runs again, or somebody sends it."
        case Course.BEGUN:
            return "Its hour has come: approved, it goes out at once."
        case _:
            return "No schedule makes an issue of these days: approved, it goes out at once."


def _clock(hour: Hour) -> str:
    return by_the_clock(hour.at, zone(hour.timezone)) if hour.at else "its hour"


def send_now(runtime: Runtime, issue_id: int, *, by: str) -> Issue:
    """Let an approved issue go that waits for its hour: workers send it within seconds.

    Raises `Conflict` for an issue that waits for none.
    """
    with writing(runtime.engine) as session:
        issue = lock_issue(session, issue_id)
        if issue.state is not IssueState.APPROVED or not issue.awaits_hour:
            raise Conflict(_waits_for_none(issue))
        _let_go_early(session, issue, by=by, now=runtime.clock())
    log.info("issue.sent_early", issue=issue_id, by=by)
    return issue


def _waits_for_none(issue: Issue) -> str:
    told = f"issue {issue.id} is {issue.state}"
    if issue.state is IssueState.APPROVED:
        return f"{told} and goes out next: there is no hour that it waits for"
    if issue.state is IssueState.DRAFT:
        return f"{told}: approve it first, and it can be sent before its hour"
    return f"{told}, so there is no hour that it waits for"


def let_go_by_hand(runtime: Runtime, issue_id: int, *, by: str) -> None:
    """Let an issue that somebody sends by hand wait for nothing; one that does not wait is let be."""
    with writing(runtime.engine) as session:
        issue = lock_issue(session, issue_id)
        is_early = issue.state is IssueState.APPROVED and issue.awaits_hour
        if is_early:
            _let_go_early(session, issue, by=by, now=runtime.clock())
    if is_early:
        log.info("issue.sent_early", issue=issue_id, by=by)


def _let_go_early(session: Session, issue: Issue, *, by: str, now: datetime) -> None:
    let_leave(session, issue.id)
    record(session, by=by, what="issue.sent_early", about=f"issue {issue.id}", now=now)
