"""The sample newsletter: its identity, topics, sources and readers, with an issue due at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine

from digest.demo.audience import sample_subscribers, sample_topics
from digest.demo.newsroom import SampleSource
from digest.domain.erasing import NO_MARKS
from digest.domain.newsletters import Approval, Newsletter, NewsletterId
from digest.domain.sources import SourceKind
from digest.intake.lists.steps import import_text
from digest.store.database import writing
from digest.store.newsletters import add_newsletter, add_topic
from digest.store.schedules import add_schedule
from digest.store.sources import NewSource, add_sources

SAMPLE = Newsletter(
    id=NewsletterId(0),
    slug="harbour-week",
    name="The Harbour Week",
    sender_name="The Harbour Week",
    sender_email="editors@harbour-week.example.org",
    postal_address="The Harbour Week, 1 Quay Street, Harbour City",
    timezone="Europe/Lisbon",
    approval=Approval.AUTOMATIC,
)


def add_sample_newsletter(
    engine: Engine,
    sources: Iterable[SampleSource],
    *,
    now: datetime,
    newsletter: Newsletter = SAMPLE,
    subscribers: str = "",
) -> Newsletter:
    """Store the sample newsletter, scheduled weekly and for the first time `now`; return it with its id.

    `subscribers` is CSV as `digest subscriber import` reads it; empty means the sample's fifteen.
    """
    with writing(engine) as session:
        stored = add_newsletter(session, newsletter, now=now)
        for topic in sample_topics():
            add_topic(session, stored.id, topic)
        add_sources(
            session,
            stored.id,
            [NewSource(source.name, source.url, SourceKind(source.kind)) for source in sources],
            now=now,
        )
    readers = subscribers or sample_subscribers()
    import_text(engine, stored, readers, name="subscribers.csv", by="demo", now=now, marked=NO_MARKS)
    # Last: a worker that is there already may begin at once.
    with writing(engine) as session:
        add_schedule(
            session,
            stored.id,
            cron="0 7 * * MON",
            timezone=stored.timezone,
            window_days=stored.window_days,
            next_due=now,
            now=now,
        )
    return stored
