"""What each word of an article is worth: the chance that a person's highlight of it would have the word.

A logistic model of six features with the weights below. They were fitted by `python -m
benchmarks.fit_worth` on 500 English news articles and their publisher's highlights; only counts and
places of stems are looked at, so the model carries over to other languages.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

BASE = -2.135
COUNT = 0.782
"""Per e-fold of how often the word is used."""
SPREAD = 5.2
"""Times the share of sentences that have the word."""
LATENESS = -0.606
"""Per e-fold of the sentence that has it first, counted from 1."""
NAME = 0.264
"""Times the share of its sentences in which it is capitalised within the sentence."""
FIGURE = 0.38
"""For a number."""
IN_TITLE = 1.0
"""For a word of the title. Set by hand: the articles the others were fitted on have no titles."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The stems of one sentence: all in order, those written as names, and the sentence's position."""

    stems: Sequence[str]
    names: Collection[str]
    position: int


@dataclass(frozen=True, slots=True)
class Feature:
    """What the model looks at for one stem of an article."""

    count: int
    spread: float
    first: int
    name: float
    figure: bool


def features(sentences: Sequence[Terms]) -> dict[str, Feature]:
    """Return the features of every stem in an article's sentences."""
    count = Counter(stem for terms in sentences for stem in terms.stems)
    spread = Counter(stem for terms in sentences for stem in set(terms.stems))
    named = Counter(stem for terms in sentences for stem in terms.names)
    first: dict[str, int] = {}
    for terms in sentences:
        for stem in terms.stems:
            first.setdefault(stem, terms.position)
    return {
        stem: Feature(
            count=count[stem],
            spread=spread[stem] / len(sentences),
            first=first[stem],
            name=named[stem] / spread[stem],
            figure=stem[0].isdecimal(),
        )
        for stem in count
    }


def worth_of_words(sentences: Sequence[Terms], title: Collection[str]) -> Mapping[str, float]:
    """Return the worth of each stem, between 0 and 1. `title` are the stems of the article's title."""
    return {stem: _worth(feature, in_title=stem in title) for stem, feature in features(sentences).items()}


def _worth(feature: Feature, *, in_title: bool) -> float:
    logit = (
        BASE
        + COUNT * math.log(feature.count)
        + SPREAD * feature.spread
        + LATENESS * math.log(1 + feature.first)
        + NAME * feature.name
        + FIGURE * feature.figure
        + IN_TITLE * in_title
    )
    return 1 / (1 + math.exp(-logit))
