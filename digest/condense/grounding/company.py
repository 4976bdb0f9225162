"""The words a word keeps company with: they tell which of an article's places a takeaway speaks of."""

from __future__ import annotations

from collections.abc import Mapping

from digest.condense.grounding.lexicon import Lexicon
from digest.condense.grounding.reading import Kind, Token
from digest.condense.grounding.source import Passage

COMPANY = 5
"""Words with a subject that are looked at on each side."""
BEYOND = 2
"""How many words a comma or an "and" between two words counts for."""


def company(passage: Passage, place: int, lexicon: Lexicon, last: int | None = None) -> dict[str, float]:
    """Return the keys and numbers around a token: 1 for the nearest, less for those farther.

    Of a name or figure of several tokens, `place` is the first and `last` the last; its own do not count.
    What lies beyond a comma or an "and" is farther.
    """
    around: dict[str, float] = {}
    for side in (passage.tokens[:place][::-1], passage.tokens[(place if last is None else last) + 1 :]):
        distance, clause = 0, passage.tokens[place].clause
        for token in side:
            if token.clause != clause or token.folded in lexicon.joiners or token.folded in lexicon.turns:
                distance, clause = distance + BEYOND, token.clause
            word = token.key or (token.folded if _is_number(token, lexicon) else "")
            if word:
                distance += 1
                around[word] = max(around.get(word, 0), 1 / distance)
            if distance >= COMPANY:
                break
    return around


def _is_number(token: Token, lexicon: Lexicon) -> bool:
    return token.kind is Kind.NUMBER or token.folded in lexicon.numbers


def likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return how much the company of two words is the same: 1 when they share one neighbour and no more."""
    return sum(weight * other[word] for word, weight in one.items() if word in other)
