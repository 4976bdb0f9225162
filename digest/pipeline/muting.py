"""Muting a topic: for a month, and at least until one issue of the reader's has come without it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, islice

from sqlalchemy.orm import Session

from digest.domain.cadences import Cadence, due_on
from digest.domain.errors import NotFound
from digest.domain.less import MUTED_FOR
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.schedules import Schedule
from digest.domain.subscribers import SubscriberId, Subscription, SubscriptionState
from digest.domain.times import Window, zone
from digest.runtime import Runtime
from digest.schedule.cron import dates_after
from digest.schedule.steps import window_of
from digest.store.database import reading
from digest.store.history import last_sent_on
from digest.store.issues import issues_page
from digest.store.newsletters import newsletter_by_id
from digest.store.schedules import list_schedules
from digest.store.subscribers import subscription_of
from digest.track import less

_DAY = timedelta(days=1)
_ISSUES_MAX = 400
"""Of a newsletter that comes every day, a year's: by then everybody has been due."""


def mute(runtime: Runtime, newsletter_id: NewsletterId, subscriber_id: SubscriberId, topic: str) -> datetime:
    """Mute a topic for a reader; return until when. Raises `NotFound`."""
    until = mute_end(runtime, newsletter_id, subscriber_id)
    return less.mute(runtime.engine, newsletter_id, subscriber_id, topic, now=runtime.clock(), until=until)


def mute_end(runtime: Runtime, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> datetime:
    """Return until when a topic would be muted now: a month, or until a reader's next issue is out.

    Who gets the first issue of a month would else miss none for it. Raises `NotFound`.
    """
    now = runtime.clock()
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, newsletter_id)
        subscription = subscription_of(session, newsletter_id, subscriber_id)
        if subscription is None:
            raise NotFound(f"subscriber {subscriber_id} of newsletter {newsletter_id} was removed")
        theirs = _next_of(session, newsletter, subscription, now)
    return max(now + MUTED_FOR, theirs.end + _DAY) if theirs else now + MUTED_FOR


def _next_of(
    session: Session, newsletter: Newsletter, subscription: Subscription, now: datetime
) -> Window | None:
    """Return the days of the next issue that is due to a reader, None where nothing says when it comes.

    What is sent while they pause comes to others alone.
    """
    back = subscription.paused_until
    if subscription.state is SubscriptionState.PAUSED and back is None:
        return None
    tz = zone(newsletter.timezone)
    last = last_sent_on(session, newsletter.id, subscription.subscriber.id)
    for window in islice(_to_come(session, newsletter, now), _ISSUES_MAX):
        if back is not None and window.end < back:
            continue
        if subscription.cadence is Cadence.EVERY or last is None:
            return window
        first, until = window.local_days(tz)
        days = (until - first).days + 1
        if due_on(subscription.cadence, last.astimezone(tz).date(), window_days=days) <= until + _DAY:
            return window
    return None


def _to_come(session: Session, newsletter: Newsletter, now: datetime) -> Iterator[Window]:
    """Yield the days of the issues to come: by its schedules, or as regularly as the last one came."""
    schedules = [one for one in list_schedules(session, newsletter.id) if not one.is_paused]
    if schedules:
        yield from heapq.merge(*(_of_schedule(one, now) for one in schedules), key=lambda one: one.end)
        return
    tz = zone(newsletter.timezone)
    for issue in issues_page(session, limit=1, newsletter_id=newsletter.id):
        first, last = issue.window.local_days(tz)
        days = last - first + _DAY
        windows = (Window.of_days(first + days * n, last + days * n, tz) for n in count())
        yield from (window for window in windows if window.end > now)


def _of_schedule(schedule: Schedule, now: datetime) -> Iterator[Window]:
    return (window_of(schedule, due) for due in dates_after(schedule.cron, schedule.timezone, after=now))
