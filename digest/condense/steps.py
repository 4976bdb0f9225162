"""Give every new article its takeaways and topics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from digest.condense.takeaways import condense_article
from digest.condense.terms import why_headline_only
from digest.condense.topics.belonging import topics_of
from digest.condense.topics.steps import learn, read_grounds
from digest.domain.articles import Condensed, Origin
from digest.domain.newsletters import Newsletter
from digest.store.articles import articles_by_id, content_hash
from digest.store.condensed import forget_condensed, record_condensed, uncondensed_articles
from digest.store.database import reading, writing
from digest.store.newsletters import topic_ids
from digest.store.sources import sources_ever


@dataclass(slots=True)
class Report:
    """What condensing came to: articles read, takeaways by origin, articles without any and without topic."""

    articles: int
    takeaways: dict[Origin, int]
    without_takeaways: int
    without_topic: int


def condense(
    engine: Engine,
    newsletter: Newsletter,
    *,
    on_condensed: Callable[[], None] = lambda: None,
) -> Report:
    """Condense the articles that are new or changed. Each is recorded by itself, so a stop loses nothing."""
    learn(engine, newsletter)
    with reading(engine) as session:
        pending = uncondensed_articles(session, newsletter.id)
        grounds = read_grounds(session, newsletter.id, [one.id for one in pending])
        ids = topic_ids(session, newsletter.id)
        sources = {source.name: source for source in sources_ever(session, newsletter.id)}
        originals = articles_by_id(session, [one.copies_id for one in pending if one.copies_id])
    report = Report(0, {}, 0, 0)
    for stored in pending:
        withheld = why_headline_only(stored, sources, originals.get(stored.copies_id))
        condensed = (
            Condensed((), withheld)
            if withheld
            else condense_article(stored.article, count=newsletter.takeaways)
        )
        matches = topics_of(stored, grounds)
        with writing(engine) as session:
            record_condensed(
                session, stored.id, condensed, matches, topic_ids=ids, of=content_hash(stored.article)
            )
        report.articles += 1
        report.without_takeaways += not condensed.takeaways
        report.without_topic += not matches
        for takeaway in condensed.takeaways:
            report.takeaways[takeaway.origin] = report.takeaways.get(takeaway.origin, 0) + 1
        on_condensed()
    return report


def condense_again(engine: Engine, newsletter: Newsletter, *, since: datetime) -> int:
    """Have the articles published since then condensed anew, as after a change of rules; return how many."""
    with writing(engine) as session:
        return forget_condensed(session, newsletter.id, since=since)
