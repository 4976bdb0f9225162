"""A topic that many followed is removed at once; what they followed is forgotten behind that."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, Verdict
from digest.pipeline import forgetting
from digest.pipeline.forgetting import forget_removed_topics, is_anything_to_forget
from digest.store import newsletters
from digest.store.condensed import ArticleTopicRow
from digest.store.database import reading, writing
from digest.store.followers import followers
from digest.store.newsletters import (
    TopicRow,
    add_topic,
    change_topic,
    list_topics,
    order_topics,
    remove_topic,
    topic_ids,
)
from digest.store.subscribers import FollowRow, get_subscription
from digest.store.subscription_pages import list_subscriptions
from digest.store.verdicts import record_verdicts, verdicts_on
from tests.stored import (
    CITIES,
    CLIMATE,
    FOOD,
    NOW,
    SPACE,
    TOPICS,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_reader,
    stored_source,
)

EMAILS = [f"reader{number}@example.org" for number in range(5)]


@pytest.fixture
def newsletter(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Newsletter:
    """Five readers follow the climate, and three are many here."""
    monkeypatch.setattr(newsletters, "FORGOTTEN_AT_ONCE", 3)
    monkeypatch.setattr(forgetting, "PAGE", 2)
    newsletter = stored_newsletter(engine)
    for email in EMAILS:
        stored_reader(engine, newsletter, email, CLIMATE, SPACE)
    return newsletter


@pytest.fixture
def runtime(engine: Engine) -> Any:
    return SimpleNamespace(engine=engine)


def rows(engine: Engine, table: type[Any], topic_id: int) -> int:
    column = table.id if table is TopicRow else table.topic_id
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table).where(column == topic_id)) or 0


def test_it_is_gone_for_everybody_at_once(engine: Engine, newsletter: Newsletter) -> None:
    source = stored_source(engine, newsletter, "Meridian")
    article = stored_article(engine, newsletter, source, sample_article("tides"), {CLIMATE: 0.9})
    with writing(engine) as session:
        numbers = topic_ids(session, newsletter.id)
        record_verdicts(session, article, [Verdict(CLIMATE, True, "Ada")], topic_ids=numbers, now=NOW)
        change_topic(session, newsletter.id, Topic(CITIES, "Cities", parent=CLIMATE))
        remove_topic(session, newsletter.id, CLIMATE)
    with reading(engine) as session:
        assert [topic.slug for topic in list_topics(session, newsletter.id)] == [SPACE, CITIES, FOOD]
        assert all(topic.parent is None for topic in list_topics(session, newsletter.id))
        assert followers(session, newsletter.id) == {SPACE: 5, CITIES: 0, FOOD: 0}
        assert get_subscription(session, newsletter.id, EMAILS[0]).follows == {SPACE}
        assert {one.follows for one in list_subscriptions(session, newsletter.id, limit=9)} == {
            frozenset({SPACE})
        }
        assert not any(verdicts_on(session, [article]).values())
    assert rows(engine, ArticleTopicRow, numbers[CLIMATE]) == 0
    assert rows(engine, FollowRow, numbers[CLIMATE]) == 5, "they are left for later"


def test_another_of_its_name_is_another_one(engine: Engine, newsletter: Newsletter) -> None:
    with writing(engine) as session:
        remove_topic(session, newsletter.id, CLIMATE)
        add_topic(session, newsletter.id, TOPICS[0])
        order_topics(session, newsletter.id, [FOOD, CLIMATE, SPACE, CITIES])
    with reading(engine) as session:
        assert list(topic_ids(session, newsletter.id)) == [FOOD, CLIMATE, SPACE, CITIES]
        assert followers(session, newsletter.id, only=CLIMATE) == {CLIMATE: 0}
        assert get_subscription(session, newsletter.id, EMAILS[0]).follows == {SPACE}


def test_a_worker_forgets_page_by_page_and_goes_on_where_it_was_stopped(
    engine: Engine, newsletter: Newsletter, runtime: Any
) -> None:
    with writing(engine) as session:
        climate = topic_ids(session, newsletter.id)[CLIMATE]
        remove_topic(session, newsletter.id, CLIMATE)
    assert is_anything_to_forget(runtime)
    stops: Iterator[bool] = iter([False, True])
    assert forget_removed_topics(runtime, should_stop=lambda: next(stops)) == 0
    assert rows(engine, FollowRow, climate) == 3
    assert forget_removed_topics(runtime) == 1
    assert (rows(engine, FollowRow, climate), rows(engine, TopicRow, climate)) == (0, 0)
    assert not is_anything_to_forget(runtime)
    with reading(engine) as session:
        assert followers(session, newsletter.id, only=SPACE) == {SPACE: 5}


def test_what_few_follow_is_forgotten_at_once(engine: Engine, newsletter: Newsletter, runtime: Any) -> None:
    stored_reader(engine, newsletter, EMAILS[0], FOOD)
    with writing(engine) as session:
        food = topic_ids(session, newsletter.id)[FOOD]
        remove_topic(session, newsletter.id, FOOD)
    assert not is_anything_to_forget(runtime)
    assert (rows(engine, FollowRow, food), rows(engine, TopicRow, food)) == (0, 0)
