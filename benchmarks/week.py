"""A generated week of news: as many articles as asked for, with words as unevenly spread as in a language.

One article in 25 is an abridged copy of another, one in 100 a copy of one agency report with a line of its
own, and one in 30 ends with the same notice: what makes comparing each with each expensive.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from digest.domain.articles import Article, Block, BlockKind

_START = datetime(2026, 11, 16, tzinfo=UTC)
_SENTENCE = 20
_SITES = 200
_ABRIDGED, _AGENCY, _NOTICE = 25, 100, 30
_SYLLABLES = [a + b for a in "bdfgklmnprstvwz" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "on")]


def week(count: int, *, words: int = 600, seed: int = 1) -> list[Article]:
    """Return `count` articles of about `words` words, spread over seven days and 200 sites."""
    draw = np.random.default_rng(seed)
    vocabulary = [_word(number) for number in range(60_000)]
    names = [_word(number).capitalize() for number in range(60_000, 80_000)]
    notice = _sentences(draw, vocabulary, names, 40)
    agency = _sentences(draw, vocabulary, names, words)
    texts: list[list[str]] = []
    for number in range(count):
        if number % _AGENCY == _AGENCY - 1:
            texts.append([*agency, *_sentences(draw, vocabulary, names, _SENTENCE)])
        elif number % _ABRIDGED == _ABRIDGED - 1:
            texts.append(texts[number - _ABRIDGED // 2][::2])
        else:
            own = _sentences(draw, vocabulary, names, words)
            texts.append(own + notice if number % _NOTICE == 0 else own)
    return [_article(number, count, lines) for number, lines in enumerate(texts)]


def _article(number: int, count: int, lines: Sequence[str]) -> Article:
    blocks = tuple(Block(BlockKind.PARAGRAPH, " ".join(lines[at : at + 4])) for at in range(0, len(lines), 4))
    return Article(
        url=f"https://site{number * 7 % _SITES}.example.org/{number}",
        title=" ".join(lines[0].split()[:8]),
        blocks=blocks,
        language="en",
        published_at=_START + timedelta(days=7) * (number / count),
    )


def _word(number: int) -> str:
    """Return a pronounceable word of its own for each number."""
    parts = []
    number += len(_SYLLABLES)
    while number:
        number, rest = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[rest])
    return "".join(parts)


def _sentences(draw: np.random.Generator, vocabulary: list[str], names: list[str], words: int) -> list[str]:
    """Return sentences of 20 words: every seventh word a name, every twentieth a number."""
    count = max(1, words // _SENTENCE)
    ranks = _zipf(draw, len(vocabulary), count * _SENTENCE)
    who = _zipf(draw, len(names), count * 3)
    many = draw.integers(1, 5000, count)
    lines = []
    for line in range(count):
        own = [vocabulary[rank] for rank in ranks[line * _SENTENCE : (line + 1) * _SENTENCE]]
        own[0] = own[0].capitalize()
        own[5], own[11], own[16] = (names[rank] for rank in who[line * 3 : line * 3 + 3])
        own[18] = str(many[line])
        lines.append(" ".join(own) + ".")
    return lines


def _zipf(draw: np.random.Generator, size: int, count: int) -> list[int]:
    """Return ranks below `size`, each about as often as its rank's inverse."""
    ranks: list[int] = (np.exp(draw.random(count) * np.log(size)) - 1).astype(int).tolist()
    return ranks
