"""How much an article retells what earlier issues told: pure, and the same for a preview and a run."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from digest.domain.articles import Article

WORDS_READ = 150
"""What is news stands at the beginning."""
LIKE = 0.3
"""Less in common with an earlier item is what two articles on one subject share."""
_STEM = 6
"""Letters that tell a word: a stemmer for every language, and good enough to compare with."""

_WORD = re.compile(r"[^\W\d_]{4,}|\d+(?:[.,]\d+)*|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Echo:
    """The earlier item that an article is most like, from `LIKE` to 1."""

    likeness: float
    title: str


def echoes(articles: Sequence[Article], told: Sequence[Article]) -> list[Echo | None]:
    """Return for each article the earlier item it retells, None where it is news.

    Likeness is what two openings share of the shorter one, each word by how few articles hold it. An article
    under the same address is no echo of itself.
    """
    openings, earlier = [_terms(article) for article in articles], [_terms(article) for article in told]
    holders = Counter(term for terms in (*openings, *earlier) for term in terms)
    rarity = {term: math.log((1 + len(openings) + len(earlier)) / held) for term, held in holders.items()}
    pairs = list(zip(earlier, told, strict=True))
    return [_echo(article, terms, pairs, rarity) for article, terms in zip(articles, openings, strict=True)]


def _terms(article: Article) -> frozenset[str]:
    opening = " ".join((article.title, *article.text.split()[:WORDS_READ])).casefold()
    return frozenset(word[:_STEM] for word in _WORD.findall(opening))


def _echo(
    article: Article,
    terms: frozenset[str],
    earlier: Sequence[tuple[frozenset[str], Article]],
    rarity: dict[str, float],
) -> Echo | None:
    likest = max(
        (
            (_shared(terms, others, rarity), -place, told.title)
            for place, (others, told) in enumerate(earlier)
            if told.url != article.url
        ),
        default=(0.0, 0, ""),
    )
    return Echo(round(likest[0], 3), likest[2]) if likest[0] >= LIKE else None


def _shared(one: frozenset[str], other: frozenset[str], rarity: dict[str, float]) -> float:
    least = min(sum(rarity[term] for term in terms) for terms in (one, other))
    return sum(rarity[term] for term in one & other) / least if least else 0.0
