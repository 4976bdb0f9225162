"""Schedules: when newsletters are due."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, StrictInt

from digest.domain import schedules as domain
from digest.domain.accounts import Right
from digest.domain.times import zone
from digest.pipeline.scheduling import (
    WINDOW_MAX,
    coming_dates,
    end_schedule,
    make_schedule,
    reschedule,
    set_resting,
    skip_next,
    start_now,
)
from digest.schedule.cron import due_dates, next_due
from digest.schedule.words import in_words
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.store.schedules import get_schedule, list_schedules
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.runs import Run
from digest.web.api.shapes import PATH, Given, Line, Listed, NewsletterName, Number, Told, whole
from digest.web.api.versions import IfMatch, etag_of, require_unchanged
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Schedules and runs"])


class Schedule(Told):
    """When a newsletter is due."""

    unversioned = frozenset({"next_due"})

    id: int
    cron: str = Field(examples=["0 7 * * mon"])
    timezone: str = Field(examples=["Europe/Paris"])
    window_days: int = Field(description="Days that an issue of it covers.")
    next_due: datetime
    is_paused: bool

    @classmethod
    def of(cls, one: domain.Schedule) -> Schedule:
        """Return a schedule as the API tells it."""
        return cls(
            id=one.id,
            cron=one.cron,
            timezone=one.timezone,
            window_days=one.window_days,
            next_due=one.next_due,
            is_paused=one.is_paused,
        )


class Due(Told):
    """A date to come."""

    due_at: datetime
    skipped_by: int | None = Field(description="The run that leaves it out; null where it stays.")


class Dates(Told):
    """What a rule comes to."""

    words: str = Field(examples=["Every Monday at 07:00"])
    timezone: str
    due_at: list[datetime]


class NewSchedule(Given):
    """When a newsletter is to be made and sent."""

    cron: Line = Field(description="Minute, hour, day, month, weekday.", examples=["0 7 * * mon"])
    timezone: Line = Field("", description="The rule's zone; '' for the newsletter's.")
    window_days: StrictInt | None = Field(
        None, ge=1, le=WINDOW_MAX, description="Days an issue covers; null: the newsletter's."
    )


class ScheduleChange(Given):
    """What changes of a schedule. What is left out or null stays."""

    cron: Line | None = None
    timezone: Line | None = None
    window_days: StrictInt | None = Field(None, ge=1, le=WINDOW_MAX)


@router.get("/newsletters/{newsletter}/schedules", **asks(Right.LOOK))
def list_newsletter_schedules(runtime: TheRuntime, newsletter: NewsletterName) -> Listed[Schedule]:
    """Return a newsletter's schedules, the soonest first."""
    with reading(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        return whole(list_schedules(session, found.id), Schedule.of)


@router.get("/newsletters/{newsletter}/schedules/dates", **asks(Right.LOOK))
def preview_schedule(
    runtime: TheRuntime,
    newsletter: NewsletterName,
    cron: Annotated[Line, Query(description="Minute, hour, day, month, weekday.", examples=["0 7 * * mon"])],
    timezone: Annotated[Line, Query(description="The rule's zone; '' for the newsletter's.")] = "",
    count: Annotated[int, Query(ge=1, le=50, description="How many.")] = 5,
) -> Dates:
    """Return what a rule comes to before there is a schedule of it: in words, and its next dates."""
    with reading(runtime.engine) as session:
        where = zone(timezone.strip() or get_newsletter(session, newsletter).timezone).key
    now = runtime.clock()
    next_due(cron, where, after=now)
    due = due_dates(cron, where, after=now, count=count)
    return Dates(words=in_words(cron), timezone=where, due_at=list(due))


@router.post("/newsletters/{newsletter}/schedules", status_code=201, **asks(Right.OPERATE))
def add_newsletter_schedule(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    newsletter: NewsletterName,
    new: NewSchedule,
) -> Schedule:
    """Let a newsletter be made and sent at set times."""
    made = make_schedule(
        runtime,
        newsletter,
        cron=new.cron,
        timezone=new.timezone,
        window_days=new.window_days,
        by=caller.name,
    )
    response.headers["Location"] = f"{PATH}/schedules/{made.id}"
    return Schedule.of(made)


@router.get("/schedules/{schedule_id}", **asks(Right.LOOK))
def show_schedule(runtime: TheRuntime, response: Response, schedule_id: Number) -> Schedule:
    """Return a schedule. Its ETag stays while it runs: it is another when somebody changes it."""
    with reading(runtime.engine) as session:
        told = Schedule.of(get_schedule(session, schedule_id))
    response.headers["ETag"] = etag_of(told)
    return told


@router.get("/schedules/{schedule_id}/dates", **asks(Right.LOOK))
def list_dates(
    runtime: TheRuntime,
    schedule_id: Number,
    count: Annotated[int, Query(ge=1, le=50, description="How many.")] = 5,
) -> Listed[Due]:
    """Return a schedule's next dates, those that were left out among them."""
    with reading(runtime.engine) as session:
        found = get_schedule(session, schedule_id)
        dates = coming_dates(session, found, now=runtime.clock(), count=count)
    return whole(dates, lambda one: Due(due_at=one.due_at, skipped_by=one.skipped))


@router.patch("/schedules/{schedule_id}", **asks(Right.OPERATE))
def change_schedule(
    runtime: TheRuntime,
    caller: TheCaller,
    response: Response,
    schedule_id: Number,
    change: ScheduleChange,
    if_match: IfMatch = None,
) -> Schedule:
    """Change a schedule's rule, zone or days. Its next date is counted from now."""
    changed = reschedule(
        runtime,
        schedule_id,
        cron=change.cron,
        timezone=change.timezone,
        window_days=change.window_days,
        by=caller.name,
        if_as=lambda stands: require_unchanged(if_match, Schedule.of(stands)),
    )
    told = Schedule.of(changed)
    response.headers["ETag"] = etag_of(told)
    return told


@router.delete("/schedules/{schedule_id}", status_code=204, **asks(Right.OPERATE))
def remove_schedule(runtime: TheRuntime, caller: TheCaller, schedule_id: Number) -> None:
    """Remove a schedule and the record of its runs. Issues stay."""
    end_schedule(runtime, schedule_id, by=caller.name)


@router.post("/schedules/{schedule_id}/pause", **asks(Right.OPERATE))
def pause_schedule(runtime: TheRuntime, caller: TheCaller, schedule_id: Number) -> Schedule:
    """Let a schedule rest. Dates that come meanwhile are not made up for."""
    return Schedule.of(set_resting(runtime, schedule_id, True, by=caller.name))


@router.post("/schedules/{schedule_id}/resume", **asks(Right.OPERATE))
def resume_schedule(runtime: TheRuntime, caller: TheCaller, schedule_id: Number) -> Schedule:
    """Let a schedule run again, from its next date on."""
    return Schedule.of(set_resting(runtime, schedule_id, False, by=caller.name))


@router.post("/schedules/{schedule_id}/skip", **asks(Right.OPERATE))
def skip_date(runtime: TheRuntime, caller: TheCaller, schedule_id: Number) -> Run:
    """Leave out a schedule's next date."""
    return Run.of(skip_next(runtime, schedule_id, by=caller.name))


@router.post("/schedules/{schedule_id}/start", status_code=202, **asks(Right.OPERATE))
def start_run(runtime: TheRuntime, caller: TheCaller, schedule_id: Number) -> Run:
    """Begin today's run of a schedule now. A worker takes it up within seconds."""
    return Run.of(start_now(runtime, schedule_id, by=caller.name))
