"""The coming issue of each newsletter: which days it covers, when it closes and goes out, and its draft."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from digest.compose.draft import refill
from digest.domain.errors import DigestError
from digest.domain.issues import Issue
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.pipeline.condensing import condense_ahead
from digest.runtime import Runtime
from digest.schedule.steps import window_of
from digest.store.condensed import uncondensed_articles
from digest.store.database import reading
from digest.store.issues import find_issue
from digest.store.newsletters import list_newsletters
from digest.store.schedules import list_schedules

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)
"""How often drafts are filled anew: an editor sees an article that was polled a few minutes ago."""

SECONDS = 40.0
"""A task lasts a minute at most; the newsletters that were not reached come first the next time."""

_One = TypeVar("_One")


@dataclass(frozen=True, slots=True)
class Coming:
    """The issue that a newsletter's schedule makes next. `issue` is None while it holds no article yet."""

    newsletter: Newsletter
    window: Window
    goes_at: datetime
    issue: Issue | None

    @property
    def closes_at(self) -> datetime:
        """Return the moment from which on what is published is for the issue after it."""
        return self.window.end


def coming_of(session: Session, newsletter: Newsletter) -> tuple[Coming, ...]:
    """Return the next issue of each schedule of a newsletter that is not paused, soonest first."""
    return tuple(
        Coming(newsletter, window, schedule.next_due, find_issue(session, newsletter.id, window))
        for schedule in list_schedules(session, newsletter.id)
        if not schedule.is_paused
        for window in (window_of(schedule, schedule.next_due),)
    )


def fill_drafts(runtime: Runtime, *, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Fill the draft of every coming issue with what was gathered since, until the time is over.

    What is new is condensed first, as nothing is chosen without a topic. One newsletter that fails keeps none
    of the others waiting: the run that is due will say why.
    """
    begun, now = time.monotonic(), runtime.clock()
    with reading(runtime.engine) as session:
        waiting = [one for newsletter in list_newsletters(session) for one in coming_of(session, newsletter)]
    for coming in _in_turn(waiting, now):
        if should_stop() or time.monotonic() - begun > SECONDS:
            return
        try:
            _fill(runtime, coming)
        except DigestError as exc:
            log.warning("draft.not_filled", newsletter=coming.newsletter.slug, reason=str(exc))


def _in_turn(waiting: Sequence[_One], now: datetime) -> Sequence[_One]:
    """Return all, each time another first: so none is always the one that there is no time left for."""
    first = int(now.timestamp() // EVERY.total_seconds()) % len(waiting) if waiting else 0
    return [*waiting[first:], *waiting[:first]]


def _fill(runtime: Runtime, coming: Coming) -> None:
    newsletter, window = coming.newsletter, coming.window
    with reading(runtime.engine) as session:
        has_new = bool(uncondensed_articles(session, newsletter.id, limit=1))
    if has_new:
        condense_ahead(runtime, newsletter, window)
    issue = refill(runtime.engine, newsletter, window, now=runtime.clock())
    if issue is not None:
        log.info("draft.filled", newsletter=newsletter.slug, issue=issue.id)
