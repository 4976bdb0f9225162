"""Which articles tell the same story.

Two articles do when they share text (one took it from the other, or both from an agency) or when the same
words carry both. Thresholds from measurement: containment of word 3-shingles ≥ 0.5 has F1 0.955 on abridged
news and tf-idf cosine ≥ 0.6 has 0.949; MinHash and simhash miss what was abridged.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from digest.domain.articles import Article
from digest.gather.plain import comparable

CONTAINMENT = 0.5
COSINE = 0.6

_SHINGLE = 3
# A dozen words can be a coincidence (a standing first line, a quotation); so can a few rare terms.
_MIN_SHINGLES = 12
_MIN_TERMS = 25
_MIN_TERM_LETTERS = 4
# A line in three articles of one site is the series', not the story's.
_SERIES = 3
_MOST_OF_AN_ARTICLE = 0.7

_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")

Pair = tuple[int, int]


def group_stories(articles: Sequence[Article]) -> list[tuple[int, ...]]:
    """Return the indices of `articles` grouped by story: every index in exactly one group.

    Groups are in the order of their first article, indices rise within a group, and an article without a
    twin is a group of one. Articles in different languages, or of unknown ones, never share a group with
    each other. Two articles that resemble a third one are grouped with each other.
    """
    groups = _Groups(len(articles))
    by_language: dict[str | None, list[int]] = defaultdict(list)
    for index, article in enumerate(articles):
        by_language[article.language].append(index)
    texts = _own_texts(articles)
    for members in by_language.values():
        words = [[word.casefold() for word in _WORD.findall(texts[index])] for index in members]
        for one, other in {*_containing(words), *_alike(words)}:
            groups.join(members[one], members[other])
    return groups.all()


class _Groups:
    """Disjoint sets of indices."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def _root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = index = self._parent[self._parent[index]]
        return index

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        self._parent[second] = first

    def all(self) -> list[tuple[int, ...]]:
        found: dict[int, list[int]] = defaultdict(list)
        for index in range(len(self._parent)):
            found[self._root(index)].append(index)
        return [tuple(members) for members in found.values()]


def _own_texts(articles: Sequence[Article]) -> list[str]:
    """Return each article's title and text without the lines its site prints in every one of a series.

    An article that would lose most of its text keeps all of it: then it is the story itself that was
    published three times.
    """
    lines = [[comparable(block.text) for block in article.blocks] for article in articles]
    seen: Counter[tuple[str, str]] = Counter()
    for article, own in zip(articles, lines, strict=True):
        seen.update({(_site(article), line) for line in own})
    return [_own_text(article, own, seen) for article, own in zip(articles, lines, strict=True)]


def _own_text(article: Article, lines: list[str], seen: Counter[tuple[str, str]]) -> str:
    site = _site(article)
    kept = [line for line in lines if seen[site, line] < _SERIES]
    if sum(map(len, kept)) < (1 - _MOST_OF_AN_ARTICLE) * sum(map(len, lines)):
        kept = lines
    return "\n".join([comparable(article.title), *kept])


def _site(article: Article) -> str:
    return urlsplit(article.url).netloc.removeprefix("www.")


def _containing(texts: Sequence[list[str]]) -> Iterator[Pair]:
    """Yield pairs where at least half of the shorter text's shingles stand in the longer one."""
    shingles = [set(zip(*(words[offset:] for offset in range(_SHINGLE)), strict=False)) for words in texts]
    usable = [found if len(found) >= _MIN_SHINGLES else set() for found in shingles]
    for (one, other), shared in _shared(usable).items():
        if shared >= CONTAINMENT * min(len(usable[one]), len(usable[other])):
            yield one, other


def _shared(features: Sequence[Iterable[object]]) -> Counter[Pair]:
    """Return how many features each pair has in common, for pairs that have any."""
    holders: dict[object, list[int]] = defaultdict(list)
    for index, own in enumerate(features):
        for feature in own:
            holders[feature].append(index)
    shared: Counter[Pair] = Counter()
    for members in holders.values():
        shared.update((one, other) for at, one in enumerate(members) for other in members[at + 1 :])
    return shared


def _alike(texts: Sequence[list[str]]) -> Iterator[Pair]:
    """Yield pairs whose tf-idf vectors point the same way."""
    vectors = _vectors(texts)
    holders: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for index, vector in enumerate(vectors):
        scores: dict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            for other, other_weight in holders[term]:
                scores[other] += weight * other_weight
            holders[term].append((index, weight))
        yield from ((other, index) for other, score in scores.items() if score >= COSINE)


def _vectors(texts: Sequence[list[str]]) -> list[dict[str, float]]:
    """Return unit vectors of the terms that tell articles apart: counts, rare terms heavier.

    Words of under four letters and words of most articles are left out: in a small week they would be all
    that two articles share, and enough to join them.
    """
    counts = [Counter(word for word in words if len(word) >= _MIN_TERM_LETTERS) for words in texts]
    spread = Counter(term for own in counts for term in own)
    return [_vector(own, spread, len(texts)) for own in counts]


def _vector(counts: Counter[str], spread: Counter[str], articles: int) -> dict[str, float]:
    most = max(2, articles // 3)
    telling = {term: count for term, count in counts.items() if spread[term] <= most}
    if len(telling) < _MIN_TERMS:
        return {}
    return _unit(
        {term: n * (1 + math.log((1 + articles) / (1 + spread[term]))) for term, n in telling.items()}
    )


def _unit(weights: dict[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / length for term, weight in weights.items()}
