"""Three well-known ways to pick sentences, to compare with: Lead, LexRank, TextRank.

Each ranks the sentences of an article, best first, as places in the given list.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from digest.condense.language import get_language
from digest.condense.words import stems, words

Ranking = Callable[[Sequence[str], str], list[int]]

_DAMPING = 0.85
_ROUNDS = 30
_LEXRANK_THRESHOLD = 0.1


def lead(sentences: Sequence[str], language: str) -> list[int]:  # noqa: ARG001 - a Ranking
    """Rank as the article does."""
    return list(range(len(sentences)))


def lexrank(sentences: Sequence[str], language: str) -> list[int]:
    """Rank by centrality in the graph of tf-idf cosines above 0.1 (Erkan and Radev 2004)."""
    bags = _bags(sentences, language)
    spread = Counter(stem for bag in bags for stem in bag)
    vectors = [
        {stem: count * math.log(len(bags) / spread[stem]) for stem, count in bag.items()} for bag in bags
    ]
    norms = [math.sqrt(sum(value * value for value in vector.values())) or 1.0 for vector in vectors]

    def linked(one: int, other: int) -> float:
        dot = sum(value * vectors[other].get(stem, 0.0) for stem, value in vectors[one].items())
        return float(dot / (norms[one] * norms[other]) > _LEXRANK_THRESHOLD)

    return _by_centrality(len(bags), linked)


def textrank(sentences: Sequence[str], language: str) -> list[int]:
    """Rank by centrality in the graph of shared words over log lengths (Mihalcea and Tarau 2004)."""
    bags = _bags(sentences, language)
    lengths = [bag.total() for bag in bags]

    def shared(one: int, other: int) -> float:
        scale = math.log(lengths[one] or 1) + math.log(lengths[other] or 1)
        return len(bags[one].keys() & bags[other].keys()) / scale if scale else 0.0

    return _by_centrality(len(bags), shared)


def _bags(sentences: Sequence[str], language: str) -> list[Counter[str]]:
    known = get_language(language)
    return [Counter(stems(words(sentence), known)) for sentence in sentences]


def _by_centrality(size: int, weight: Callable[[int, int], float]) -> list[int]:
    """Return `range(size)` by PageRank over the undirected graph of `weight`, ties in order."""
    edges = [[(other, weight(one, other)) for other in range(size) if other != one] for one in range(size)]
    totals = [sum(value for _, value in row) or 1.0 for row in edges]
    rank = [1.0] * size
    for _ in range(_ROUNDS):
        shares = [rank[one] / totals[one] for one in range(size)]
        rank = [1 - _DAMPING + _DAMPING * sum(value * shares[other] for other, value in row) for row in edges]
    return sorted(range(size), key=lambda place: -rank[place])
