"""A trial looks at the topics that matter alone, and finds what matching all of them finds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.condense.topics.belonging import Grounds, topics_of
from digest.domain.articles import Article, Block, BlockKind
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.pipeline.topic_trial import _within
from digest.store.articles import ArticleId, StoredArticle

ENERGY, GRID, CABLES, SPORT = map(TopicSlug, ("energy", "grid", "cables", "sport"))
TOPICS = (
    Topic(ENERGY, "Energy", rule=TopicRule(phrases=("heat pump",))),
    Topic(GRID, "Grid", rule=TopicRule(phrases=("pylon",)), parent=ENERGY),
    Topic(CABLES, "Cables", rule=TopicRule(phrases=("cable",)), parent=GRID),
    Topic(SPORT, "Sport", rule=TopicRule(phrases=("goal",))),
)


def article(title: str) -> StoredArticle:
    text = (Block(BlockKind.PARAGRAPH, f"{title}. And so on."),)
    made = Article(url="https://example.org/", title=title, blocks=text)
    return StoredArticle(ArticleId(1), made, datetime(2026, 11, 23, tzinfo=UTC), (), None)


@pytest.mark.parametrize("title", ["A cable to the isle", "A pylon falls", "A heat pump and a goal", "Gulls"])
@pytest.mark.parametrize("slug", [ENERGY, GRID, CABLES, SPORT])
def test_a_topic_with_its_parts_alone_matches_as_among_all(title: str, slug: TopicSlug) -> None:
    among_all = topics_of(article(title), Grounds(TOPICS))
    alone = topics_of(article(title), Grounds(_within(TOPICS, [slug])))
    assert [one for one in alone if one.slug == slug] == [one for one in among_all if one.slug == slug]


def test_the_control_that_parts_are_needed() -> None:
    whole = topics_of(article("A cable to the isle"), Grounds(TOPICS))
    assert ENERGY in [one.slug for one in whole]
    assert topics_of(article("A cable to the isle"), Grounds(TOPICS[:1])) == ()
