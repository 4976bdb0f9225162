"""What the rule for stories is measured against: shared text alone, one cosine, and both joined up.

`before` is what gather did at first: pairs by either measure, and whoever resembles a third is in the story.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from digest.domain.articles import Article

Pair = tuple[int, int]

CONTAINMENT = 0.5
COSINE = 0.6

_SHINGLE = 3
_MIN_SHINGLES = 12
_MIN_TERMS = 25
_MIN_TERM_LETTERS = 4

_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")


def before(articles: Sequence[Article]) -> set[Pair]:
    """Return the pairs that stand in one group when links are followed as far as they go."""
    parent = list(range(len(articles)))

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    for one, other in sorted(containing(articles) | alike(articles)):
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(articles)):
        groups[root(index)].append(index)
    return {(a, b) for group in groups.values() for a in group for b in group if a < b}


def containing(articles: Sequence[Article]) -> set[Pair]:
    """Return the pairs of one language where half of the shorter's 3-shingles stand in the longer one."""
    shingles = [
        set(zip(*(own[offset:] for offset in range(_SHINGLE)), strict=False)) for own in _words(articles)
    ]
    usable = [found if len(found) >= _MIN_SHINGLES else set() for found in shingles]
    return {
        (one, other)
        for (one, other), shared in _shared(usable).items()
        if shared >= CONTAINMENT * min(len(usable[one]), len(usable[other]))
        and articles[one].language == articles[other].language
    }


def alike(articles: Sequence[Article], *, cosine: float = COSINE) -> set[Pair]:
    """Return the pairs of one language whose tf-idf vectors point the same way."""
    by_language: dict[str | None, list[int]] = defaultdict(list)
    for index, article in enumerate(articles):
        by_language[article.language].append(index)
    words = _words(articles)
    found: set[Pair] = set()
    for members in by_language.values():
        pairs = _near([words[index] for index in members], cosine)
        found |= {(members[one], members[other]) for one, other in pairs}
    return found


def _words(articles: Sequence[Article]) -> list[list[str]]:
    return [_WORD.findall(f"{article.title}\n{article.text}".casefold()) for article in articles]


def _shared(features: Sequence[Iterable[object]]) -> Counter[Pair]:
    """Return how many features each pair has in common: every pair, which is what makes it dear."""
    holders: dict[object, list[int]] = defaultdict(list)
    for index, own in enumerate(features):
        for feature in own:
            holders[feature].append(index)
    shared: Counter[Pair] = Counter()
    for members in holders.values():
        shared.update((one, other) for at, one in enumerate(members) for other in members[at + 1 :])
    return shared


def _near(texts: Sequence[list[str]], cosine: float) -> set[Pair]:
    found: set[Pair] = set()
    holders: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for index, vector in enumerate(_vectors(texts)):
        scores: dict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            for other, other_weight in holders[term]:
                scores[other] += weight * other_weight
            holders[term].append((index, weight))
        found |= {(other, index) for other, score in scores.items() if score >= cosine}
    return found


def _vectors(texts: Sequence[list[str]]) -> list[dict[str, float]]:
    counts = [Counter(word for word in words if len(word) >= _MIN_TERM_LETTERS) for words in texts]
    spread = Counter(term for own in counts for term in own)
    return [_vector(own, spread, len(texts)) for own in counts]


def _vector(counts: Counter[str], spread: Counter[str], articles: int) -> dict[str, float]:
    most = max(2, articles // 3)
    telling = {term: count for term, count in counts.items() if spread[term] <= most}
    if len(telling) < _MIN_TERMS:
        return {}
    weights = {term: n * (1 + math.log((1 + articles) / (1 + spread[term]))) for term, n in telling.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / length for term, weight in weights.items()}
