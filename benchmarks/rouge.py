"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004), F measure, of one text against another.

Words are lower-case runs of ASCII letters and digits, and words over three letters are stemmed by
Porter's algorithm (Snowball's `porter`), as the package rouge-score does with its stemmer. ROUGE-L is
the summary-level one (`rougeLsum` there): the union of the longest common subsequences, sentence by
sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import snowballstemmer

_WORD = re.compile(r"[a-z0-9]+")
_PORTER = snowballstemmer.stemmer("porter")


@dataclass(frozen=True, slots=True)
class Rouge:
    """F measures from 0 to 1."""

    rouge1: float
    rouge2: float
    rougeL: float  # noqa: N815 - the measure's own name


def rouge(summary: Sequence[str], reference: Sequence[str]) -> Rouge:
    """Score a summary against a reference, each given as its sentences."""
    ours, theirs = [words_of(text) for text in summary], [words_of(text) for text in reference]
    return Rouge(_n_gram_f(ours, theirs, 1), _n_gram_f(ours, theirs, 2), _lcs_f(ours, theirs))


def words_of(text: str) -> list[str]:
    """Return the words of a text as ROUGE compares them."""
    return [_stem(word) if len(word) > 3 else word for word in _WORD.findall(text.lower())]


@cache
def _stem(word: str) -> str:
    stem: str = _PORTER.stemWord(word)
    return stem


def _n_gram_f(ours: list[list[str]], theirs: list[list[str]], size: int) -> float:
    found, wanted = _n_grams(ours, size), _n_grams(theirs, size)
    return _f(sum((found & wanted).values()), sum(found.values()), sum(wanted.values()))


def _n_grams(sentences: list[list[str]], size: int) -> Counter[tuple[str, ...]]:
    text = [word for sentence in sentences for word in sentence]
    return Counter(zip(*(text[shift:] for shift in range(size)), strict=False))


def _f(common: int, found: int, wanted: int) -> float:
    return 2 * common / (found + wanted) if common else 0.0


def _lcs_f(ours: list[list[str]], theirs: list[list[str]]) -> float:
    left_ours = Counter(word for sentence in ours for word in sentence)
    left_theirs = Counter(word for sentence in theirs for word in sentence)
    found, wanted, common = left_ours.total(), left_theirs.total(), 0
    for reference in theirs:
        for place in sorted(set().union(*(_lcs_places(reference, sentence) for sentence in ours))):
            word = reference[place]
            if left_ours[word] > 0 and left_theirs[word] > 0:
                common += 1
                left_ours[word] -= 1
                left_theirs[word] -= 1
    return _f(common, found, wanted)


def _lcs_places(reference: list[str], sentence: list[str]) -> Iterable[int]:
    """Return the places in `reference` of one longest common subsequence with `sentence`."""
    lengths = [[0] * (len(sentence) + 1)]
    for word in reference:
        above, row = lengths[-1], [0]
        for column, other in enumerate(sentence):
            row.append(above[column] + 1 if word == other else max(row[column], above[column + 1]))
        lengths.append(row)
    places, row_index, column = [], len(reference), len(sentence)
    while row_index and column:
        if reference[row_index - 1] == sentence[column - 1]:
            row_index, column = row_index - 1, column - 1
            places.append(row_index)
        elif lengths[row_index][column - 1] > lengths[row_index - 1][column]:
            column -= 1
        else:
            row_index -= 1
    return places
