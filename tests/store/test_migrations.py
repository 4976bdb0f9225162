"""What a migration makes of rows that are there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from digest.domain.newsletters import NewsletterId
from digest.domain.sources import Asked, Source, Standing
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.store.database import open_engine, reading, writing
from digest.store.issues import ChosenItem, ScorePart, ensure_issue, items_of, replace_items
from digest.store.links import PassedLink, passed_links, record_passed
from digest.store.newsletters import add_topic, list_topics
from digest.store.schema import migrate
from digest.store.sources import get_source, record_standing
from tests.stored import (
    CLIMATE,
    NOW,
    WINDOW,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_source,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    is_file = request.param == "sqlite"
    engine = open_engine(
        f"sqlite:///{tmp_path / 'digest.db'}" if is_file else request.getfixturevalue("postgres_url")
    )
    migrate(engine)
    yield engine
    engine.dispose()


def stored(engine: Engine, newsletter_id: NewsletterId, name: str) -> Source:
    with reading(engine) as session:
        return get_source(session, newsletter_id, name)


def test_sources_keep_how_their_polls_went_down_to_0003_and_up_again(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated)
    polled = stored_source(migrated, newsletter, "Polled")
    fresh = stored_source(migrated, newsletter, "Fresh")
    standing = Standing(etag='"v1"', succeeded_at=NOW, asked=Asked(skip_hours=frozenset({3})))
    with writing(migrated) as session:
        record_standing(session, polled, standing, reservation="")
        record_passed(session, polled.id, PassedLink("https://meridian.example.org/a", "old", NOW), now=NOW)
    migrate(migrated, to="0003")
    columns = {column["name"] for column in inspect(migrated).get_columns("sources")}
    assert columns.isdisjoint({"listed_at", "telling_until", "ttl", "fresh_for", "skip_hours", "moved_to"})
    with migrated.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sources")) == 2
    migrate(migrated)
    found = stored(migrated, newsletter.id, "Polled").standing
    assert (found.etag, found.asked, found.listed_at) == ('"v1"', Asked(), NOW)
    assert stored(migrated, newsletter.id, "Fresh") == fresh
    with reading(migrated) as session:
        links = passed_links(session, polled.id, ["https://meridian.example.org/a"], now=NOW)
    assert [link.is_backlog for link in links.values()] == [False]


def test_topics_and_items_survive_the_way_down_from_0007_and_up_again(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated)
    source = stored_source(migrated, newsletter, "Meridian")
    article_id = stored_article(migrated, newsletter, source, sample_article("tides"))
    with writing(migrated) as session:
        energy = Topic(TopicSlug("energy"), "Energy", rule=TopicRule(query="grid"), parent=CLIMATE)
        add_topic(session, newsletter.id, energy)
        issue = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        replace_items(session, issue.id, [ChosenItem(article_id, 1.5, (), (ScorePart(1.5, "fits"),))])
    previous = "0004"
    migrate(migrated, to=previous)
    assert {"verdicts", "pins", "topic_models"}.isdisjoint(inspect(migrated).get_table_names())
    migrate(migrated)
    with reading(migrated) as session:
        topics = {topic.slug: topic for topic in list_topics(session, newsletter.id)}
        assert topics[TopicSlug("energy")] == Topic(TopicSlug("energy"), "Energy")
        assert items_of(session, issue.id) == (ChosenItem(article_id, 1.5),)
