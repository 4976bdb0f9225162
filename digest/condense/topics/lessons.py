"""What was learned of each topic, for people: from how many articles, how well, by which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from digest.condense.topics.belonging import topics_of
from digest.condense.topics.learned import (
    EXAMPLES_MIN,
    UNLEARNED,
    Example,
    Model,
    examples_of,
    weightiest_words,
)
from digest.condense.topics.steps import JUDGED_MAX, is_worth_learning, labels_of, read_grounds
from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, TopicSlug
from digest.store.articles import StoredArticle, articles_by_id
from digest.store.database import reading
from digest.store.topic_models import find_model
from digest.store.verdicts import judged_articles, verdicts_on

WORDS_MOST = 10

_NOT_RIGHT = "it was not right four times of five on articles held back"
_SOON = "it learns before the next articles are condensed"
_LATER = "it learns again when a twentieth of what editors decided is new"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned of a topic.

    `yes` and `no` count the articles for and against it that editors judged up to now. `precision` and
    `recall` are those on articles it had not seen, None while it does not speak: `why_not` then says why.
    `words` speak for the topic most, the weightiest first.
    """

    topic: TopicSlug
    yes: int
    no: int
    precision: float | None = None
    recall: float | None = None
    words: tuple[str, ...] = ()
    why_not: str = ""


def lessons(engine: Engine, newsletter: Newsletter) -> tuple[Lesson, ...]:
    """Return what was learned of each of a newsletter's topics, in their order."""
    with reading(engine) as session:
        ids = judged_articles(session, newsletter.id)[-JUDGED_MAX:]
        stored = articles_by_id(session, ids)
        known = find_model(session, newsletter.id)
        labels = labels_of(verdicts_on(session, ids))
        grounds = read_grounds(session, newsletter.id, ids)
    articles = [stored[one] for one in ids]
    bare = replace(grounds, model=UNLEARNED)
    matched = [frozenset(match.slug for match in topics_of(one, bare)) for one in articles]
    verdicts = [grounds.verdicts[one] for one in ids]
    if known is not None and labels == set(known.learned_from):
        why_not = _NOT_RIGHT
    else:
        why_not = _SOON if is_worth_learning(labels, known) else _LATER
    return tuple(
        _lesson(topic, articles, examples_of(topic.slug, verdicts, matched), grounds.model, why_not)
        for topic in grounds.topics
    )


def _lesson(
    topic: Topic,
    articles: Sequence[StoredArticle],
    examples: Sequence[Example],
    model: Model,
    why_not: str,
) -> Lesson:
    own = [articles[one.place].article for one in examples if one.is_yes]
    yes, no = len(own), len(examples) - len(own)
    learned = model.topics.get(topic.slug)
    if learned is None:
        return Lesson(topic.slug, yes, no, why_not=_too_few(yes, no) or why_not)
    words = weightiest_words(own, learned, model, most=WORDS_MOST)
    return Lesson(topic.slug, yes, no, learned.precision, learned.recall, tuple(words))


def _too_few(yes: int, no: int) -> str:
    if yes < EXAMPLES_MIN:
        return f"{yes} of {EXAMPLES_MIN} examples"
    return f"{no} of {EXAMPLES_MIN} examples of what does not belong here" if no < EXAMPLES_MIN else ""
