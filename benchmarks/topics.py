"""How well articles are put into topics: `python -m benchmarks.topics [--json]`.

The labelled articles and the rules are in `benchmarks/data/topics`: short, invented, with hard negatives and
some of no topic, in four languages. The rules were written before the articles and mended on the first half
(`dev.txt`); scored is the second (`test.txt`), which no rule was changed for. `keywords` matches any word of
the rules anywhere. What is learned is learned from the first half and four fifths of the second, and scored
on the last fifth, in turns: each article by a model that has not seen it, as if an editor had judged the
others. F1 is the mean over topics.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

from digest.condense.topics import match_topics
from digest.condense.topics.belonging import Grounds
from digest.condense.topics.learned import Model, speak
from digest.condense.topics.learning import learn_topics
from digest.condense.topics.query import compiled
from digest.domain.articles import Article, Block, BlockKind
from digest.domain.query import Both, Either, Neither, Node, Term
from digest.domain.topics import Topic, TopicRule, TopicSlug, Verdict
from digest.store.articles import ArticleId, StoredArticle

DATA = Path(__file__).parent / "data" / "topics"
TURNS = 5
_SEEN = datetime(2026, 11, 16, tzinfo=UTC)
_HEAD = re.compile(r"([a-z,]+) (en|de|fr|es)")

Topics = frozenset[TopicSlug]


@dataclass(frozen=True, slots=True)
class Labelled:
    """An article and the topics it is about; none for some."""

    stored: StoredArticle
    topics: Topics


@dataclass(frozen=True, slots=True)
class Score:
    """Means over topics, and milliseconds an article."""

    f1: float
    precision: float
    recall: float
    ms_per_article: float


def read_topics() -> tuple[Topic, ...]:
    """Return the topics with their rules."""
    told = tomllib.loads((DATA / "rules.toml").read_text("utf-8"))["topic"]
    return tuple(
        Topic(TopicSlug(one["slug"]), one["name"], rule=TopicRule(query=" ".join(one["query"].split())))
        for one in told
    )


def read_labelled(name: str, *, first_id: int = 0) -> list[Labelled]:
    """Return the articles of `name`.txt: topics and language, title, text, and a blank line between them."""
    parts = (DATA / f"{name}.txt").read_text("utf-8").strip().split("\n\n")
    return [_labelled(part, first_id + number) for number, part in enumerate(parts)]


def _labelled(part: str, number: int) -> Labelled:
    head, title, text = part.split("\n")
    match = _HEAD.fullmatch(head)
    if match is None:
        raise ValueError(f"'{head}' is not topics and a language")
    url = f"https://example.org/{number}"
    article = Article(url, title, (Block(BlockKind.PARAGRAPH, text),), match[2])
    stored = StoredArticle(ArticleId(number), article, _SEEN, sources=(), story_id=None)
    return Labelled(stored, frozenset(map(TopicSlug, match[1].split(","))) - {TopicSlug("none")})


def score(
    labelled: Sequence[Labelled], found: Sequence[Topics], topics: Sequence[Topic], seconds: float
) -> Score:
    """Return how `found` compares with the labels, topic by topic."""
    rows = [_score_of(topic.slug, labelled, found) for topic in topics]
    precision, recall, f1 = (round(mean(column), 3) for column in zip(*rows, strict=True))
    return Score(f1, precision, recall, round(seconds / len(labelled) * 1000, 2))


def _score_of(
    slug: TopicSlug, labelled: Sequence[Labelled], found: Sequence[Topics]
) -> tuple[float, float, float]:
    said = sum(slug in topics for topics in found)
    true = sum(slug in one.topics for one in labelled)
    hits = sum(slug in topics and slug in one.topics for topics, one in zip(found, labelled, strict=True))
    precision, recall = hits / said if said else 0.0, hits / true
    return precision, recall, 2 * hits / (said + true)


def timed(
    labelled: Sequence[Labelled], topics: Sequence[Topic], find: Callable[[int, Article], Topics]
) -> Score:
    """Return how well, and how fast, `find` puts articles into topics; it is given each one's place."""
    begun = time.process_time()
    found = [find(place, one.stored.article) for place, one in enumerate(labelled)]
    return score(labelled, found, topics, time.process_time() - begun)


def by_keywords(topics: Sequence[Topic]) -> Callable[[int, Article], Topics]:
    """Return the naive way: a topic whenever a word of its rule stands anywhere, also within others."""
    words = {topic.slug: _keywords(compiled(topic.rule)) for topic in topics}

    def find(_: int, article: Article) -> Topics:
        text = f"{article.title} {article.text}".casefold()
        return frozenset(slug for slug, any_of in words.items() if any(word in text for word in any_of))

    return find


def _keywords(node: Node | None) -> set[str]:
    match node:
        case Term():
            return {node.text.casefold()}
        case Either(parts) | Both(parts):
            return {word for part in parts if not isinstance(part, Neither) for word in _keywords(part)}
    return set()


def models_in_turns(
    seen: Sequence[Labelled], held: Sequence[Labelled], topics: Sequence[Topic]
) -> list[Model]:
    """Return for each of `held` a model learned from `seen` and the other turns of `held`."""
    order = list(range(len(held)))
    random.Random(7).shuffle(order)
    models: dict[int, Model] = {}
    for turn in range(TURNS):
        left_out = set(order[turn::TURNS])
        taught = [*seen, *(one for place, one in enumerate(held) if place not in left_out)]
        model = learn_topics(
            [one.stored for one in taught], Grounds(topics, verdicts=verdicts_of(taught, topics))
        )
        models |= dict.fromkeys(left_out, model)
    return [models[place] for place in range(len(held))]


def verdicts_of(labelled: Sequence[Labelled], topics: Sequence[Topic]) -> Mapping[ArticleId, list[Verdict]]:
    """Return the labels as an editor's word on each article and every topic."""
    return {
        one.stored.id: [Verdict(topic.slug, topic.slug in one.topics, "an editor") for topic in topics]
        for one in labelled
    }


def by_model_alone(models: Sequence[Model]) -> Callable[[int, Article], Topics]:
    """Return the topics of which the model is sure enough to speak."""

    def find(place: int, article: Article) -> Topics:
        return frozenset(speak(article, models[place]))

    return find


def by_rules(topics: Sequence[Topic], models: Sequence[Model] = ()) -> Callable[[int, Article], Topics]:
    """Return the rules, with what was learned beside them when there is something."""

    def find(place: int, article: Article) -> Topics:
        learned = speak(article, models[place]) if models else {}
        return frozenset(match.slug for match in match_topics(article, topics, learned=learned))

    return find


def figures() -> dict[str, Score]:
    """Return the scores of every way on the held-out half, and of the rules on the other as well."""
    topics = read_topics()
    seen = read_labelled("dev")
    held = read_labelled("test", first_id=len(seen))
    models = models_in_turns(seen, held, topics)
    return {
        "keywords": timed(held, topics, by_keywords(topics)),
        "rules": timed(held, topics, by_rules(topics)),
        "classifier": timed(held, topics, by_model_alone(models)),
        "rules and classifier": timed(held, topics, by_rules(topics, models)),
        "rules, on the half they were mended on": timed(seen, topics, by_rules(topics)),
    }


def learning_seconds() -> float:
    """Return the CPU seconds to learn from all labelled articles."""
    topics, labelled = read_topics(), read_labelled("dev")
    labelled += read_labelled("test", first_id=len(labelled))
    begun = time.process_time()
    learn_topics([one.stored for one in labelled], Grounds(topics, verdicts=verdicts_of(labelled, topics)))
    return round(time.process_time() - begun, 2)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="for programs")
    found = figures() if (wanted := parser.parse_args()) else {}
    if wanted.json:
        print(json.dumps({name: asdict(one) for name, one in found.items()}, indent=2))
        return
    print(f"{'':40} {'macro-F1':>9} {'precision':>9} {'recall':>9} {'ms':>6}")
    for name, one in found.items():
        print(f"{name:40} {one.f1:9.3f} {one.precision:9.3f} {one.recall:9.3f} {one.ms_per_article:6.2f}")
    print(f"learning from all of them: {learning_seconds()} s of CPU")


if __name__ == "__main__":
    main()
