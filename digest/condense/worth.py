"""What each word of an article is worth: the chance that a person's highlight of it would have the word.

A logistic model of fifteen numbers. Its weights (`weights.toml`) were fitted by `python -m
benchmarks.fit_takeaways` on 500 English news articles and their publisher's highlights; only counts and
places of stems are looked at, so the model carries over to other languages.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import mul

IN_TITLE = 1.0
"""For a word of the title. Set by hand: the articles the weights were fitted on have no titles."""
NAMES = 5
"""How many of an article's names count as its common ones."""

NUMBERS = (
    "base", "count", "spread", "lateness", "name", "figure", "in_first", "in_second", "in_third", "once",
    "often_in_first", "sentences", "name_in_first", "often_a_name", "letters",
)  # fmt: skip
"""What the model weighs, in the order of `Feature.numbers`."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The stems of one sentence: all in order, those written as names, and the sentence's position."""

    stems: Sequence[str]
    names: Collection[str]
    position: int


_NONE = (Terms((), (), 0),) * 3


@dataclass(frozen=True, slots=True)
class Feature:
    """What the model looks at for one stem of an article.

    How often it is used, the share of sentences that have it, the first of these, the share of them in which
    it is capitalised within the sentence, whether it is a number, which of the first three sentences have it,
    how many sentences have it, and its letters.
    """

    count: int
    spread: float
    first: int
    name: float
    figure: bool
    opening: tuple[bool, bool, bool]
    sentences: int
    letters: int

    def numbers(self) -> tuple[float, ...]:
        """Return what the model weighs: see NUMBERS."""
        often = math.log(self.count)
        return (
            1.0,
            often,
            self.spread,
            math.log(1 + self.first),
            self.name,
            self.figure,
            *self.opening,
            self.count == 1,
            often * self.opening[0],
            self.sentences / 10,
            self.name * (self.first == 0),
            self.name * often,
            self.letters / 5,
        )


def features(sentences: Sequence[Terms]) -> dict[str, Feature]:
    """Return the features of every stem in an article's sentences."""
    count = Counter(stem for terms in sentences for stem in terms.stems)
    spread = Counter(stem for terms in sentences for stem in set(terms.stems))
    named = Counter(stem for terms in sentences for stem in terms.names)
    first: dict[str, int] = {}
    for terms in sentences:
        for stem in terms.stems:
            first.setdefault(stem, terms.position)
    one, two, three = [set(terms.stems) for terms in (*sentences, *_NONE)[:3]]
    return {
        stem: Feature(
            count=count[stem],
            spread=spread[stem] / len(sentences),
            first=first[stem],
            name=named[stem] / spread[stem],
            figure=stem[0].isdecimal(),
            opening=(stem in one, stem in two, stem in three),
            sentences=spread[stem],
            letters=len(stem),
        )
        for stem in count
    }


def worth_of_words(
    features_: Mapping[str, Feature], title: Collection[str], weights: Mapping[str, float]
) -> dict[str, float]:
    """Return the worth of each stem, between 0 and 1. `title` are the stems of the article's title."""
    ordered = [weights[name] for name in NUMBERS]
    return {
        stem: _chance(sum(map(mul, ordered, feature.numbers())) + IN_TITLE * (stem in title))
        for stem, feature in features_.items()
    }


def common_names(features_: Mapping[str, Feature]) -> list[str]:
    """Return the stems used most among those that are mostly written with a capital, commonest first."""
    names = [stem for stem, feature in features_.items() if feature.name > 0.5]
    return sorted(names, key=lambda stem: -features_[stem].count)[:NAMES]


def _chance(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
