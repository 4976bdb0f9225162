"""All that has a say in an article's topics, brought together: editors first, then rules and sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from digest.condense.topics.learned import UNLEARNED, Model, speak
from digest.condense.topics.matching import match_topics
from digest.domain.topics import Topic, TopicMatch, TopicSlug, Verdict, ancestors
from digest.store.articles import ArticleId, StoredArticle

SOURCE_SCORE = 0.5
"""How well an article fits a topic only because its source always does."""
GIVEN_SCORE = 1.0
"""How well an article fits a topic that an editor gave it."""
PARENT_SHARE = 0.9
"""How well an article of a topic fits the topic that this one is part of: a little less."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What decides the topics of a newsletter's articles.

    `defaults` are what every article of a source belongs to, by its name; `verdicts` what editors said.
    """

    topics: Sequence[Topic]
    defaults: Mapping[str, Sequence[TopicSlug]] = field(default_factory=dict)
    verdicts: Mapping[ArticleId, Sequence[Verdict]] = field(default_factory=dict)
    model: Model = UNLEARNED


def topics_of(stored: StoredArticle, grounds: Grounds) -> tuple[TopicMatch, ...]:
    """Return the topics of an article in falling score; equal scores keep the newsletter's order.

    What an editor said of a topic stands, for or against it. Else the best of rule, source and editor's
    wish counts. An article of a topic belongs to the topics this one is part of as well.
    """
    verdicts = grounds.verdicts.get(stored.id, ())
    refused = {verdict.slug for verdict in verdicts if not verdict.is_yes}
    best: dict[TopicSlug, TopicMatch] = {}
    for match in (*_editors(stored, verdicts), *_others(stored, grounds)):
        _improve(best, match, refused)
    for match in sorted(best.values(), key=lambda match: -match.score):
        for parent in _parents(match, grounds.topics):
            _improve(best, parent, refused)
    ordered = [best[topic.slug] for topic in grounds.topics if topic.slug in best]
    return tuple(sorted(ordered, key=lambda match: -match.score))


def _improve(best: dict[TopicSlug, TopicMatch], match: TopicMatch, refused: set[TopicSlug]) -> None:
    known = best.get(match.slug)
    if match.slug not in refused and (known is None or match.score > known.score):
        best[match.slug] = match


def _editors(stored: StoredArticle, verdicts: Sequence[Verdict]) -> Iterator[TopicMatch]:
    for verdict in verdicts:
        if verdict.is_yes:
            yield TopicMatch(verdict.slug, GIVEN_SCORE, f"{verdict.by} put it here")
    for slug in stored.given_topics:
        yield TopicMatch(slug, GIVEN_SCORE, "an editor said so")


def _others(stored: StoredArticle, grounds: Grounds) -> Iterator[TopicMatch]:
    learned = speak(stored.article, grounds.model)
    yield from match_topics(stored.article, grounds.topics, sources=stored.sources, learned=learned)
    for source in stored.sources:
        for slug in grounds.defaults.get(source, ()):
            yield TopicMatch(slug, SOURCE_SCORE, f"everything from {source}")


def _parents(match: TopicMatch, topics: Sequence[Topic]) -> Iterator[TopicMatch]:
    names = {topic.slug: topic.name for topic in topics}
    if match.slug not in names:
        return
    for levels, parent in enumerate(ancestors(topics, match.slug), start=1):
        reason = f"belongs to {names[match.slug]}, part of {names[parent]}"
        yield TopicMatch(parent, round(match.score * PARENT_SHARE**levels, 3), reason)
