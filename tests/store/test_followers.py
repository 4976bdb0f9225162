"""How many follow each topic, counted only so far."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.store.database import reading, writing
from digest.store.followers import followers
from digest.store.newsletters import add_newsletter, add_topic, list_topics, order_topics
from digest.store.subscribers import subscribe

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
SEA, SKY, SOIL = map(TopicSlug, ("sea", "sky", "soil"))


def weekly(engine: Engine) -> NewsletterId:
    newsletter = Newsletter(NewsletterId(0), "weekly", "Weekly", "Weekly", "w@example.org", "1 Quay Street")
    with writing(engine) as session:
        stored = add_newsletter(session, newsletter, now=NOW)
        for slug in (SEA, SKY, SOIL):
            add_topic(session, stored.id, Topic(slug, slug, rule=TopicRule(phrases=(slug,))))
        for number in range(5):
            follows = (SEA, SKY) if number < 2 else (SEA,)
            subscribe(session, stored.id, email=f"r{number}@example.org", follows=follows, now=NOW)
    return stored.id


def test_each_topic_is_counted_and_no_further_than_asked(engine: Engine) -> None:
    newsletter = weekly(engine)
    with reading(engine) as session:
        assert followers(session, newsletter) == {SEA: 5, SKY: 2, SOIL: 0}
        assert followers(session, newsletter, most=3) == {SEA: 4, SKY: 2, SOIL: 0}
        assert followers(session, newsletter, only=SKY) == {SKY: 2}
        assert followers(session, NewsletterId(999)) == {}


def test_topics_stand_in_the_order_they_are_given(engine: Engine) -> None:
    newsletter = weekly(engine)
    with writing(engine) as session:
        order_topics(session, newsletter, [SOIL, SEA, SKY])
    with reading(engine) as session:
        assert [topic.slug for topic in list_topics(session, newsletter)] == [SOIL, SEA, SKY]
