"""Articles as numbers: what comparing thousands of them with each other costs is decided here.

Every word is read once and becomes the number of its entry in one vocabulary; what is true of a word
(its folded form, its stem, whether it is a figure) is worked out once an entry, not once an occurrence.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from digest.domain.articles import Article

Ids = NDArray[np.int32]
Flags = NDArray[np.bool_]

STOP = 0
"""The vocabulary's first entry: the end of a sentence, after which a capital letter says nothing."""

# A figure keeps its separators and joins a score: 5.3, 1,400, 3:1, 24–17.
_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,:–-]\d+)*|[.!?:;…\"“”„«»]")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?!\d))")
_MAX_DIGITS = 18

# Letters of a word that are compared: crude, but the same in every language, and endings do not count.
_STEM = 6

# A line in three articles of one site is the series', not the story's.
_SERIES = 3
_MOST_OF_AN_ARTICLE = 0.7


class Vocabulary(dict[str, int]):
    """Numbers words as they come: `vocabulary["Word"]`. Each spelling has its own, all stops have 0."""

    def __init__(self) -> None:
        super().__init__({".": STOP})
        self.spellings = ["."]

    def __missing__(self, spelling: str) -> int:
        if not spelling[0].isalnum():
            return STOP
        number = self[spelling] = len(self.spellings)
        self.spellings.append(spelling)
        return number

    def numbered(self, text: str) -> Ids:
        """Return the words and sentence ends of `text` in order."""
        return np.array([self[spelling] for spelling in _WORD.findall(text)], np.int32)


@dataclass(frozen=True, slots=True)
class Wording:
    """What an article says: the words and stops of its title and those of its text."""

    title: Ids
    text: Ids


def read_wordings(articles: Sequence[Article]) -> tuple[list[Wording], Vocabulary]:
    """Return the words of each article without the lines its site prints in every one of a series.

    An article that would lose most of its text keeps all of it: then it is the story itself that was
    published three times.
    """
    vocabulary = Vocabulary()
    series = _series(articles)
    wordings = []
    for article in articles:
        lines = [block.text for block in article.blocks]
        kept = [line for line in lines if hash((site(article), line)) not in series] if series else lines
        if sum(map(len, kept)) < (1 - _MOST_OF_AN_ARTICLE) * sum(map(len, lines)):
            kept = lines
        # Joined by a stop: the first word of a paragraph may well have its capital from that.
        wordings.append(Wording(vocabulary.numbered(article.title), vocabulary.numbered(".".join(kept))))
    return wordings, vocabulary


def _series(articles: Sequence[Article]) -> frozenset[int]:
    """Return the hashes of the (site, line) that stand in three articles or more."""
    seen: Counter[int] = Counter()
    for article in articles:
        own = site(article)
        seen.update({hash((own, block.text)) for block in article.blocks})
    return frozenset(line for line, times in seen.items() if times >= _SERIES)


def site(article: Article) -> str:
    """Return the host of an article without `www.`: two articles of one host are one publisher's."""
    return urlsplit(article.url).netloc.removeprefix("www.")


@dataclass(frozen=True, slots=True)
class Traits:
    """What is true of each entry of a vocabulary, by its number.

    `folded` numbers what is the same but for case, `stem` what is the same but for case and ending; both
    are 0 for a stop. `is_capital`: it is written with one. The others are by stem: `letters` is the longest
    word's length, `is_figure` marks a number that tells something, as 412, 5.3 and 3:1 do, and 2 and 2026
    do not.
    """

    folded: Ids
    stem: Ids
    is_capital: Flags
    letters: Ids
    is_figure: Flags


def read_traits(vocabulary: Vocabulary) -> Traits:
    """Return what is true of the words of `vocabulary`."""
    folded, stems = {".": STOP}, {".": STOP}
    of_folded, of_stem = array("i"), array("i")
    for spelling in vocabulary.spellings:
        word = spelling.casefold()
        of_folded.append(folded.setdefault(word, len(folded)))
        stem = plain_number(word) if word[0].isdigit() else word[:_STEM]
        of_stem.append(stems.setdefault(stem, len(stems)))
    stem_of = np.array(of_stem, np.int32)
    letters = np.zeros(len(stems), np.int32)
    lengths = [0 if spelling[0].isdigit() else len(spelling) for spelling in vocabulary.spellings]
    np.maximum.at(letters, stem_of, np.array(lengths, np.int32))
    return Traits(
        folded=np.array(of_folded, np.int32),
        stem=stem_of,
        is_capital=np.array([spelling[0].isupper() for spelling in vocabulary.spellings]),
        letters=letters,
        is_figure=np.array([stem[0].isdigit() and tells(stem) for stem in stems]),
    )


def plain_number(word: str) -> str:
    """Return a number as every language would write it: 1.400 and 1,400 are 1400; 7,5 is 7.5; 3-1 is 3:1."""
    return _THOUSANDS.sub("", word).replace(",", ".").replace("–", ":").replace("-", ":")


def tells(number: str) -> bool:
    """Return whether who shares `number` shares a fact: not so for small counts, hours and years."""
    if not number.isdecimal() or len(number) > _MAX_DIGITS:
        return True
    return int(number) > 12 and not 1900 < int(number) < 2100
