"""A dry run as ops see it: how far it is, then what a run would come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from digest.domain.dry_runs import DryRun, Found
from digest.domain.issues import IssueId
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SkipReason
from digest.domain.times import zone
from digest.pipeline.preflight import preflight_from
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.dry_runs import get_dry_run
from digest.store.newsletters import newsletter_by_id
from digest.store.schedules import get_schedule
from digest.web.checks import found_view
from digest.web.ops.times import away, moment, span
from digest.web.views import ChecksView
from digest.web.words import counted, days, spared_in_words

ITEMS, SOURCES = 60, 100
"""Shown of each: a page of two hundred articles is read by nobody."""


@dataclass(frozen=True, slots=True)
class ShareView:
    """A part of a whole, in words, with its count and percent."""

    words: str
    count: str
    percent: float


@dataclass(frozen=True, slots=True)
class SourceView:
    """How a source was read."""

    name: str
    told: str
    error: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """An article that the issue would hold."""

    title: str
    about: str


@dataclass(frozen=True, slots=True)
class FoundView:
    """What a dry run found, in words."""

    note: str
    figures: tuple[tuple[str, str], ...]
    stages: tuple[str, ...]
    readers: str
    shares: tuple[ShareView, ...]
    skipped: tuple[ShareView, ...]
    spared: str
    topics: tuple[ShareView, ...]
    items: tuple[ItemView, ...]
    more_items: int
    left_out: tuple[tuple[str, str], ...]
    sources: tuple[SourceView, ...]
    checks: ChecksView | None


@dataclass(frozen=True, slots=True)
class DryRunView:
    """A dry run. While `is_open` its part of the page asks again; `standing` says how far it is."""

    id: int
    newsletter: str
    slug: str
    days: str
    asked: str
    standing: str
    is_open: bool
    problem: str
    found: FoundView | None


def dry_run_view(runtime: Runtime, number: int) -> DryRunView:
    """Return a dry run in words. Raises `NotFound`."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        one = get_dry_run(session, number)
        newsletter = newsletter_by_id(session, one.newsletter_id)
        schedule = None if one.schedule_id is None else get_schedule(session, one.schedule_id)
    tz = zone(schedule.timezone if schedule else newsletter.timezone)
    return DryRunView(
        id=one.id,
        newsletter=newsletter.name,
        slug=newsletter.slug,
        days=days(*one.window.local_days(tz)),
        asked=f"{one.asked_by} asked for it on {moment(one.asked_at, tz)}",
        standing=_standing(one, now),
        is_open=one.ended_at is None,
        problem=f"{one.problem[:1].upper()}{one.problem[1:].rstrip('.')}." if one.problem else "",
        found=_found(one.found, newsletter) if one.found else None,
    )


def _standing(one: DryRun, now: datetime) -> str:
    if one.ended_at is not None:
        took = f" and took {span(one.ended_at - one.began_at)}" if one.began_at else ""
        return f"It ended {away(one.ended_at, now)}{took}."
    if one.began_at is not None:
        lasts = span(now - one.began_at)
        return f"A worker has been at it for {lasts}. To read the sources takes longest."
    return "It waits for a worker, which takes it up within seconds when one is there."


def _found(found: Found, newsletter: Newsletter) -> FoundView:
    get = sum(found.readers)
    nobody = sum(found.skipped.values())
    sizes = zip(("1 article", "2 to 5 articles", "6 articles or more"), found.readers, strict=True)
    return FoundView(
        note=f"{found.note[:1].upper()}{found.note[1:].rstrip('.')}.",
        figures=(
            (counted(found.articles), "articles of these days"),
            (counted(found.stories), "stories they tell"),
            (counted(len(found.items)), "articles in the issue"),
            (counted(get), "readers who would get it"),
        )
        if found.items
        else (),
        stages=tuple(told.partition("\n")[0] for told in (found.gathered, found.condensed) if told),
        readers=f"{counted(get, 'reader')} of {get + nobody:,} would get it",
        shares=tuple(_share(words, count, get) for words, count in sizes),
        skipped=tuple(
            _share(SkipReason(reason).in_words, count, nobody)
            for reason, count in sorted(found.skipped.items(), key=lambda one: -one[1])
            if count
        ),
        spared=spared_in_words(found.spared),
        topics=tuple(_share(name, count, len(found.items)) for name, count in found.topics),
        items=tuple(
            ItemView(
                one.title, " · ".join((one.source, ", ".join(one.topics), counted(one.takeaways, "takeaway")))
            )
            for one in found.items[:ITEMS]
        ),
        more_items=max(0, len(found.items) - ITEMS),
        left_out=tuple((counted(count, "article"), reason) for reason, count in found.left_out),
        sources=tuple(
            SourceView(one.source, f"{counted(one.listed)} listed, {counted(one.new)} new", one.error)
            for one in sorted(found.sources, key=lambda one: not one.error)[:SOURCES]
        ),
        checks=_checks(found.checks, newsletter) if found.checks else None,
    )


def _share(words: str, count: int, of: int) -> ShareView:
    return ShareView(words, f"{count:,}", round(100 * count / of, 1) if of else 0.0)


def _checks(told: Any, newsletter: Newsletter) -> ChecksView:
    return found_view(preflight_from(IssueId(0), told), newsletter)
