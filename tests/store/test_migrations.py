"""What a migration makes of rows that are there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from digest.domain.articles import Condensed, Origin, Span, Takeaway
from digest.domain.errors import NotFound
from digest.domain.newsletters import NewsletterId
from digest.domain.sources import Asked, Source, Standing
from digest.domain.themes import Theme
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.store.articles import content_hash
from digest.store.condensed import uncondensed_articles
from digest.store.condensings import Condensing, versions_of
from digest.store.database import open_engine, reading, writing
from digest.store.issues import ChosenItem, ScorePart, ensure_issue, items_of, replace_items
from digest.store.links import PassedLink, passed_links, record_passed
from digest.store.newsletters import add_topic, list_topics, newsletter_by_id, remove_newsletter, set_theme
from digest.store.polls import record_standing
from digest.store.recording import record_article
from digest.store.schema import migrate
from digest.store.sources import get_source
from digest.store.versioning import record_edit
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


def test_takeaways_of_before_become_version_1_and_what_holds_goes_back_down(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated)
    source = stored_source(migrated, newsletter, "Meridian")
    edited, bare, new = (sample_article(path) for path in ("tides", "fog", "gulls"))
    edited_id = stored_article(migrated, newsletter, source, edited)
    bare_id = stored_article(migrated, newsletter, source, bare, origin=None)
    with writing(migrated) as session:
        record_article(session, newsletter.id, source.id, new, now=NOW)
        mine = Condensed((Takeaway("Mine", Origin.EDITOR, ()), Takeaway("Too", Origin.EDITOR, (Span(0, 4),))))
        of = content_hash(edited)
        record_edit(session, edited_id, mine, seen=1, made_from=1, of=of, by="ada", now=NOW)
    migrate(migrated, to="0005")
    with migrated.connect() as connection:
        rows = connection.execute(text("SELECT position, text, origin FROM takeaways ORDER BY position"))
        assert rows.all() == [(0, "Mine", "editor"), (1, "Too", "editor")]
        reasons = connection.execute(text("SELECT why_none FROM articles ORDER BY id"))
        assert reasons.scalars().all() == ["", "the article has no text", ""]
    assert {column["name"] for column in inspect(migrated).get_columns("newsletters")}.isdisjoint({"llm"})
    migrate(migrated)
    with reading(migrated) as session:
        found = versions_of(session, edited_id)
        assert found.kept == (Condensing(1, NOW, "", of, mine),)
        assert versions_of(session, bare_id).current.condensed == Condensed((), "the article has no text")
        (pending,) = uncondensed_articles(session, newsletter.id)
        assert pending.article.url == new.url
        with pytest.raises(NotFound, match="was not condensed yet"):
            versions_of(session, pending.id)
        assert newsletter_by_id(session, newsletter.id) == newsletter


def test_the_id_of_a_removed_newsletter_stays_given_through_0006(migrated: Engine) -> None:
    stored_newsletter(migrated)
    removed = stored_newsletter(migrated, slug="daily")
    with writing(migrated) as session:
        remove_newsletter(session, removed.id)
    migrate(migrated, to="0005")
    migrate(migrated)
    assert stored_newsletter(migrated, slug="monthly").id > removed.id


def test_topics_and_items_survive_the_way_down_from_0007_and_up_again(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated)
    source = stored_source(migrated, newsletter, "Meridian")
    article_id = stored_article(migrated, newsletter, source, sample_article("tides"))
    with writing(migrated) as session:
        energy = Topic(TopicSlug("energy"), "Energy", rule=TopicRule(query="grid"), parent=CLIMATE)
        add_topic(session, newsletter.id, energy)
        issue = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        replace_items(session, issue.id, [ChosenItem(article_id, 1.5, (), (ScorePart(1.5, "fits"),))])
    previous = "0006"
    migrate(migrated, to=previous)
    assert {"verdicts", "pins", "topic_models"}.isdisjoint(inspect(migrated).get_table_names())
    migrate(migrated)
    with reading(migrated) as session:
        topics = {topic.slug: topic for topic in list_topics(session, newsletter.id)}
        assert topics[TopicSlug("energy")] == Topic(TopicSlug("energy"), "Energy")
        assert items_of(session, issue.id) == (ChosenItem(article_id, 1.5),)


def test_newsletters_of_before_have_no_theme(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated)
    with writing(migrated) as session:
        set_theme(session, newsletter.id, Theme(font="Verdana, sans-serif"))
    migrate(migrated, to="0007")
    migrate(migrated)
    with reading(migrated) as session:
        assert newsletter_by_id(session, newsletter.id) == newsletter
