"""Sources polled in the background, whichever are due, so that an issue finds its week gathered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.sources import Source
from digest.domain.times import Window, zone
from digest.gather.polled import Polled
from digest.gather.steps import DEFAULT_PATIENCE, Patience, gather, tie_stories
from digest.pipeline.ops import tell_ops
from digest.runtime import Runtime
from digest.store.articles import StoredArticle, articles_in
from digest.store.database import reading, writing
from digest.store.newsletters import get_newsletter, list_newsletters, newsletter_by_id
from digest.store.polls import claim_alerts, claim_due_sources, has_alerts, has_due_sources, record_alerts

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Sources a background poll takes on: about as many as it can read in its time."""
BACKGROUND = Patience(run=45.0, source=40.0)
"""A task lasts a minute at most."""
LEASE = timedelta(minutes=2)
TELL_AGAIN = timedelta(hours=1)
"""After so long ops are told of a failing source again, when the mail failed or whoever sent it died."""


def coming_since(newsletter: Newsletter, now: datetime) -> datetime:
    """Return from when on an article may still be in an issue: the days a run started now would cover."""
    return Window.before(now, newsletter.window_days, zone(newsletter.timezone)).start


def coming_articles(runtime: Runtime, slug: str) -> tuple[StoredArticle, ...]:
    """Return what is gathered for a newsletter's coming issue and after, newest first."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        window = Window(coming_since(newsletter, now), now + timedelta(seconds=1))
        return articles_in(session, newsletter.id, window)


def are_sources_due(runtime: Runtime) -> bool:
    """Whether a background poll has something to do."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        return has_due_sources(session, now=now) or has_alerts(
            session, failing_before=now - _patience(runtime), now=now
        )


def poll_due(runtime: Runtime) -> tuple[Polled, ...]:
    """Poll the sources that are due, whichever newsletter's, and tell ops of those that fail too long."""
    now = runtime.clock()
    with writing(runtime.engine) as session:
        due = claim_due_sources(session, now=now, lease=LEASE, limit=AT_ONCE)
        ids = {source.newsletter_id for source in due}
        since = {one.id: coming_since(one, now) for one in list_newsletters(session) if one.id in ids}
    polled = poll(runtime, runtime.engine, due, since, patience=BACKGROUND) if due else ()
    if polled:
        failed = sum(bool(one.error) for one in polled)
        log.info("sources.polled", sources=len(polled), failed=failed, new=sum(one.new for one in polled))
    tell_of_failing(runtime)
    return polled


def poll(
    runtime: Runtime,
    engine: Engine,
    sources: Sequence[Source],
    since: Mapping[NewsletterId, datetime],
    *,
    patience: Patience = DEFAULT_PATIENCE,
    ties_always: bool = False,
    on_polled: Callable[[Polled], None] = lambda _: None,
) -> tuple[Polled, ...]:
    """Poll `sources` with this runtime's fetcher and parsers, and store what they bring in `engine`.

    Stories are tied when there is something new or, with `ties_always`, in any case: an earlier poll may
    have been cut off before it could. Ops are told what servers said of their sources for good, unless
    `engine` is that of a rehearsal.
    """

    async def run() -> tuple[Polled, ...]:
        async with runtime.fetcher(engine) as fetcher, runtime.parsers() as parsers:
            return await gather(
                engine,
                sources,
                since=since,
                fetcher=fetcher,
                parse=parsers.call,
                now=runtime.clock(),
                patience=patience,
                on_polled=on_polled,
            )

    polled = asyncio.run(run())
    if engine is runtime.engine:  # what a rehearsal records is true of its copy alone
        _tell_of_changes(runtime, polled)
    if ties_always or any(one.new or one.updated for one in polled):
        # Not before the parsers have gone: both want memory.
        for newsletter_id, start in since.items():
            tie_stories(engine, newsletter_id, start, runtime.clock())
    return polled


def _tell_of_changes(runtime: Runtime, polled: Sequence[Polled]) -> None:
    for one in polled:
        if one.notice:
            tell_ops(runtime, f"source '{one.source}'", f"{one.source}: {one.notice}.")


def tell_of_failing(runtime: Runtime) -> None:
    """Tell ops of the sources that have been failing for longer than they want to wait, each once.

    That they were told is recorded when the mail is out. A death in between costs a second mail, after
    `TELL_AGAIN`, and never the first.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        failing = claim_alerts(session, failing_before=now - _patience(runtime), now=now, lease=TELL_AGAIN)
        slugs = {
            newsletter_id: newsletter_by_id(session, newsletter_id).slug
            for newsletter_id in {source.newsletter_id for source in failing}
        }
    if not failing:
        return
    told = "\n\n".join(_failing_in_words(source, slugs[source.newsletter_id]) for source in failing)
    subject = f"{len(failing)} sources keep failing" if len(failing) > 1 else "a source keeps failing"
    if tell_ops(runtime, subject, told):
        with writing(runtime.engine) as session:
            record_alerts(session, failing, now=runtime.clock())


def _patience(runtime: Runtime) -> timedelta:
    return timedelta(hours=runtime.settings.source_alert_hours)


def _failing_in_words(source: Source, slug: str) -> str:
    standing = source.standing
    return (
        f"'{source.name}' of {slug} cannot be read since {standing.failing_since:%Y-%m-%d %H:%M} UTC "
        f"({standing.failures} polls): {standing.last_error}\n"
        f"Look at it with 'digest source show {slug} \"{source.name}\"'; when it is gone, "
        f"'digest source pause {slug} \"{source.name}\"' or 'digest source remove …' ends this."
    )
