"""What was learned of a newsletter's topics, numbers for parts of words, and what it says of an article."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

from digest.condense.language import get_language
from digest.condense.topics.matching import Evidence
from digest.condense.words import stems, words
from digest.domain.articles import Article
from digest.domain.topics import TopicSlug, Verdict

FORMAT = 1
"""Goes up when features or numbers change their meaning: what was learned before is then learned anew."""

TITLE_COUNTS = 3
GRAMS = (3, 4, 5)
WORDS_READ = 400
"""What an article is about is said by then, and every article then counts alike."""

EXAMPLES_MIN = 20
"""Fewer articles for or against a topic teach chance."""
LEFT_ALONE = 0.5
"""What an editor looked at and left out of a topic counts against it half as much as an explicit no."""

WEAKEST, STRONGEST = 0.5, 0.8
"""What the model says when it is just sure enough to speak, and when it is certain: as much as a title."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned of a topic: a weight for each part of a word, and from which probability it speaks.

    `yes` and `no` count what it was learned from; `precision` and `recall` were measured on articles it had
    not seen.
    """

    weights: Mapping[str, float]
    bias: float
    speaks_from: float
    yes: int
    no: int
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned of a newsletter: how telling each part of a word is, and of each topic."""

    rarity: Mapping[str, float]
    topics: Mapping[TopicSlug, Learned]

    def to_json(self) -> str:
        """Return the model as text."""
        told = {slug: asdict(learned) for slug, learned in self.topics.items()}
        return json.dumps({"format": FORMAT, "rarity": dict(self.rarity), "topics": told}, ensure_ascii=False)

    @classmethod
    def from_json(cls, told: str) -> Model:
        """Return the model of a text that `to_json` made; an empty one for another version's."""
        read = json.loads(told)
        if read["format"] != FORMAT:
            return UNLEARNED
        topics = {TopicSlug(slug): Learned(**values) for slug, values in read["topics"].items()}
        return cls(read["rarity"], topics)


UNLEARNED = Model({}, {})
"""What is known before editors said enough: nothing."""


@dataclass(frozen=True, slots=True)
class Example:
    """An article that speaks for or against a topic: its place among the articles, and how much it counts."""

    place: int
    is_yes: bool
    counts: float


def examples_of(
    slug: TopicSlug, verdicts: Sequence[Sequence[Verdict]], matched: Sequence[Collection[TopicSlug]]
) -> tuple[Example, ...]:
    """Return which of some judged articles teach a topic, by the verdicts on each and what rules made of it.

    Explicit verdicts count in full. An article that was judged, but not on this topic, and that no rule puts
    into it speaks against it.
    """
    found = []
    for place, (said, slugs) in enumerate(zip(verdicts, matched, strict=True)):
        own = [verdict.is_yes for verdict in said if verdict.slug == slug]
        if own:
            found.append(Example(place, own[-1], 1.0))
        elif slug not in slugs:
            found.append(Example(place, False, LEFT_ALONE))
    return tuple(found)


def weightiest_words(articles: Sequence[Article], learned: Learned, model: Model, *, most: int) -> list[str]:
    """Return the words of a topic's own articles that speak for it most, as they are written, best first.

    A word's weight is that of its parts together. What only one of the articles says is not told.
    """
    holders: Counter[str] = Counter()
    forms: dict[str, Counter[str]] = {}
    for article in articles:
        language = get_language(article.language)
        told = words(article.title) + words(article.text)[:WORDS_READ]
        # One by one: which words have no stem would not be seen of all together.
        found = [(stem, word) for word in told for stem in stems([word], language)]
        for stem, word in found:
            forms.setdefault(stem, Counter())[word] += 1
        holders.update({stem for stem, _ in found})
    weights = {stem: _weight(stem, learned, model.rarity) for stem, held in holders.items() if held > 1}
    best = sorted((stem for stem in weights if weights[stem] > 0), key=lambda stem: (-weights[stem], stem))
    return [forms[stem].most_common(1)[0][0] for stem in best[:most]]


def _weight(stem: str, learned: Learned, rarity: Mapping[str, float]) -> float:
    return sum(rarity.get(gram, 0.0) * learned.weights.get(gram, 0.0) for gram in _grams(stem))


def count_grams(article: Article) -> Counter[str]:
    """Return how often each part of a word stands in an article's beginning, those of the title three times.

    Parts are the three to five letters in a row of its stems, with their ends: few examples are enough to
    see that 'electric' and 'hydroelectric' have to do with each other.
    """
    language = get_language(article.language)
    title = stems(words(article.title), language)
    text = stems(words(article.text)[:WORDS_READ], language)
    return Counter(gram for stem in title * TITLE_COUNTS + text for gram in _grams(stem))


@lru_cache(maxsize=20_000)
def _grams(stem: str) -> tuple[str, ...]:
    bounded = f" {stem} "
    return tuple(
        bounded[start : start + length] for length in GRAMS for start in range(len(bounded) - length + 1)
    )


def features_of(counts: Mapping[str, int], rarity: Mapping[str, float]) -> dict[str, float]:
    """Return the weight of each known part of an article's words: a vector of length 1, or an empty one."""
    weighed = {gram: (1 + math.log(count)) * rarity[gram] for gram, count in counts.items() if gram in rarity}
    length = math.sqrt(sum(weight * weight for weight in weighed.values()))
    return {gram: weight / length for gram, weight in weighed.items()}


def probability(features: Mapping[str, float], learned: Learned) -> float:
    """Return how likely an article of these features belongs to a topic."""
    total = learned.bias + sum(
        weight * learned.weights[gram] for gram, weight in features.items() if gram in learned.weights
    )
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def speak(article: Article, model: Model) -> dict[TopicSlug, Evidence]:
    """Return what was learned that speaks for topics of an article; nothing where the model is not sure."""
    if not model.topics:
        return {}
    features = features_of(count_grams(article), model.rarity)
    likely = {slug: probability(features, learned) for slug, learned in model.topics.items()}
    return {
        slug: _evidence(found, model.topics[slug])
        for slug, found in likely.items()
        if found >= model.topics[slug].speaks_from
    }


def _evidence(found: float, learned: Learned) -> Evidence:
    above = (found - learned.speaks_from) / (1 - learned.speaks_from)
    strength = WEAKEST + (STRONGEST - WEAKEST) * above
    return Evidence(strength, f"like {learned.yes} articles that editors put here")
