"""Give every new article its takeaways and topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from digest.condense.takeaways import condense_article
from digest.condense.terms import why_headline_only
from digest.condense.topics import match_topics
from digest.domain.articles import Condensed, Origin
from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, TopicMatch, TopicSlug
from digest.store.articles import StoredArticle, articles_by_id, content_hash
from digest.store.condensed import forget_condensed, record_condensed, uncondensed_articles
from digest.store.database import reading, writing
from digest.store.newsletters import list_topics, topic_ids
from digest.store.sources import sources_ever

SOURCE_SCORE = 0.5
"""How well an article fits a topic only because its source always does."""
GIVEN_SCORE = 1.0
"""How well an article fits a topic that an editor gave it."""


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
    with reading(engine) as session:
        pending = uncondensed_articles(session, newsletter.id)
        topics = list_topics(session, newsletter.id)
        ids = topic_ids(session, newsletter.id)
        sources = {source.name: source for source in sources_ever(session, newsletter.id)}
        originals = articles_by_id(session, [one.copies_id for one in pending if one.copies_id])
    defaults = {source.name: source.topics for source in sources.values()}
    report = Report(0, {}, 0, 0)
    for stored in pending:
        withheld = why_headline_only(stored, sources, originals.get(stored.copies_id))
        condensed = (
            Condensed((), withheld)
            if withheld
            else condense_article(stored.article, count=newsletter.takeaways)
        )
        matches = topics_of(stored, topics, defaults)
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


def topics_of(
    stored: StoredArticle, topics: Sequence[Topic], defaults: Mapping[str, Sequence[TopicSlug]]
) -> tuple[TopicMatch, ...]:
    """Return the topics of an article in falling score: by rule, as a source's default, or an editor's."""
    best = {slug: TopicMatch(slug, GIVEN_SCORE, "an editor said so") for slug in stored.given_topics}
    for source in stored.sources or ("",):
        always = (
            TopicMatch(slug, SOURCE_SCORE, f"everything from {source}") for slug in defaults.get(source, ())
        )
        for match in (*match_topics(stored.article, topics, source_name=source), *always):
            if match.slug not in best or match.score > best[match.slug].score:
                best[match.slug] = match
    known = {topic.slug for topic in topics}
    return tuple(
        sorted((match for match in best.values() if match.slug in known), key=lambda match: -match.score)
    )
