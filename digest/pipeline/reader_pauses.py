"""A reader's pause that ends by itself: one rule for their page, commands and the API."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from digest.address.steps import own_zone
from digest.domain.errors import InvalidInput, NotFound
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.domain.times import local_midnight
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import newsletter_by_id
from digest.store.subscribers import subscription_of
from digest.track.steps import Change, pause

LONGEST = timedelta(days=366)
"""Of a pause with an end. Whoever wants a longer one comes back when they say so."""


def zone_of_reader(engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> ZoneInfo:
    """Return the zone of a reader, the newsletter's where they named none. Raises `NotFound`."""
    with reading(engine) as session:
        newsletter = newsletter_by_id(session, newsletter_id)
        found = subscription_of(session, newsletter_id, subscriber_id)
    if found is None:
        raise NotFound(f"subscriber {subscriber_id} of newsletter {newsletter_id} was removed")
    return own_zone(found.subscriber.timezone, newsletter)


def pause_until(
    runtime: Runtime, newsletter_id: NewsletterId, subscriber_id: SubscriberId, day: date | None
) -> Change:
    """Send a reader nothing before `day` begins by their own clock, or, without one, until they come back.

    Raises `InvalidInput` for a day that has begun or is more than a year away, `NotFound` for nobody.
    """
    tz = zone_of_reader(runtime.engine, newsletter_id, subscriber_id)
    now = runtime.clock()
    until = None if day is None else _end(day, tz, now)
    return pause(runtime.engine, newsletter_id, subscriber_id, now=now, until=until)


def _end(day: date, tz: ZoneInfo, now: datetime) -> datetime:
    today = now.astimezone(tz).date()
    if not today < day <= today + LONGEST:
        raise InvalidInput(
            f"a pause cannot end on {day}: give a day from {today + timedelta(days=1)} to {today + LONGEST}, "
            "or none for a pause that ends when they come back"
        )
    return local_midnight(day, tz)
