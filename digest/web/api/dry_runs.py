"""Dry runs: what a run would come to now, without one."""

from __future__ import annotations

from datetime import date, datetime

from fastapi import APIRouter, Response
from pydantic import Field

from digest.domain import dry_runs as domain
from digest.domain.accounts import Right
from digest.domain.newsletters import Newsletter
from digest.domain.times import zone
from digest.pipeline.dry_runs import ask_dry_run
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.dry_runs import get_dry_run
from digest.store.newsletters import newsletter_by_id
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.shapes import PATH, Number, Told
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Schedules and runs"])


class SourceRead(Told):
    """How a source was read."""

    source: str
    listed: int
    new: int
    error: str = Field(description="Why it could not be read; '' where it could.")


class WouldHold(Told):
    """An article that the issue would hold."""

    title: str
    source: str
    topics: list[str] = Field(description="Names of its topics, the strongest first.")
    takeaways: int


class Count(Told):
    """How many of what."""

    what: str
    count: int


class WouldCome(Told):
    """What a run would come to."""

    note: str = Field(description="How it ended, in words.")
    articles: int = Field(description="Articles of these days.")
    stories: int
    items: list[WouldHold]
    topics: list[Count] = Field(description="Each topic, and how many of the articles its readers get.")
    left_out: list[Count] = Field(description="Why articles are not in it.")
    one: int = Field(description="Readers who would get one article.")
    few: int = Field(description="Readers who would get 2 to 5.")
    many: int = Field(description="Readers who would get more.")
    skipped: dict[str, int] = Field(description="Readers who would get nothing, by reason.")
    spared: int | None = Field(
        description="Of all these, how many or more are left out as they read no more, in twenties, rounded "
        "down; null: none such are."
    )
    sources: list[SourceRead]
    errors: int = Field(description="Errors that the checks find.")

    @classmethod
    def of(cls, found: domain.Found) -> WouldCome:
        """Return what was found as the API tells it."""
        one, few, many = found.readers
        items = [
            WouldHold(title=i.title, source=i.source, topics=list(i.topics), takeaways=i.takeaways)
            for i in found.items
        ]
        sources = [
            SourceRead(source=s.source, listed=s.listed, new=s.new, error=s.error) for s in found.sources
        ]
        return cls(
            note=found.note,
            articles=found.articles,
            stories=found.stories,
            items=items,
            topics=[Count(what=name, count=count) for name, count in found.topics],
            left_out=[Count(what=reason, count=count) for reason, count in found.left_out],
            one=one,
            few=few,
            many=many,
            skipped=dict(found.skipped),
            spared=found.spared,
            sources=sources,
            errors=found.errors,
        )


class DryRun(Told):
    """A dry run of what a schedule's run would come to. It is over once `ended_at` is set."""

    id: int
    newsletter: str
    schedule_id: int | None
    first_day: date
    last_day: date
    asked_by: str
    asked_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    problem: str = Field(description="Why it came to nothing; '' where it did not.")
    found: WouldCome | None

    @classmethod
    def of(cls, one: domain.DryRun, newsletter: Newsletter) -> DryRun:
        """Return a dry run as the API tells it."""
        first_day, last_day = one.window.local_days(zone(newsletter.timezone))
        return cls(
            id=one.id,
            newsletter=newsletter.slug,
            schedule_id=one.schedule_id,
            first_day=first_day,
            last_day=last_day,
            asked_by=one.asked_by,
            asked_at=one.asked_at,
            began_at=one.began_at,
            ended_at=one.ended_at,
            problem=one.problem,
            found=WouldCome.of(one.found) if one.found else None,
        )


@router.post("/schedules/{schedule_id}/dry-run", status_code=202, **asks(Right.OPERATE))
def try_schedule(runtime: TheRuntime, caller: TheCaller, response: Response, schedule_id: Number) -> DryRun:
    """Ask what a run of this schedule would come to now. A worker works it out; nothing is sent."""
    asked = ask_dry_run(runtime, schedule_id, by=caller.name)
    response.headers["Location"] = f"{PATH}/dry-runs/{asked.id}"
    return _of(runtime, asked)


@router.get("/dry-runs/{number}", **asks(Right.LOOK))
def show_dry_run(runtime: TheRuntime, number: Number) -> DryRun:
    """Return a dry run, with what it found once it is over."""
    with reading(runtime.engine) as session:
        found = get_dry_run(session, number)
    return _of(runtime, found)


def _of(runtime: Runtime, one: domain.DryRun) -> DryRun:
    with reading(runtime.engine) as session:
        return DryRun.of(one, newsletter_by_id(session, one.newsletter_id))
