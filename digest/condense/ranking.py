"""Which few sentences of an article make the best takeaways together.

Every set of three is scored as a whole, by a linear model of how many words it would share with highlights
that a person wrote (ROUGE-1, in percent). The model's weights are in `weights.toml`; `python -m
benchmarks.fit_takeaways` fits them. It looks at places, lengths and counts, and never at what a word is, so
it carries over to other languages than the one it was fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from itertools import combinations

import numpy as np
import numpy.typing as npt

TOGETHER = 3
"""How many sentences are chosen at once. More are added one by one."""
POOL = 18
"""Options that sets are made of: 816 sets of three. With 24 the figures are the same."""
SHORTLIST = 28
"""Sentences that are tried in their shorter forms. Nearly half of news articles have more."""
COMFORTABLE = range(13, 26)
"""Words of a sentence that is neither curt nor long."""
END = 0.9
"""Where the last tenth of an article begins: background, and what the page says of its author."""

Floats = npt.NDArray[np.float64]
Sets = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Option:
    """One form of a sentence that could be a takeaway.

    `source` and `position` count the candidates and the article's sentences, both from 0. `against` is what
    speaks against it whatever its words say, in points of ROUGE-1. It `leans` when it needs the sentence
    before it.
    """

    text: str
    source: int
    position: int
    stems: frozenset[str]
    length: int
    is_cut: bool = False
    is_personal: bool = False
    is_question: bool = False
    leans: bool = False
    against: float = 0.0


@dataclass(frozen=True, slots=True)
class Subject:
    """What an article is about.

    How often each stem is used, what it is worth, the names used most, the stems of the first sentence, and
    how many sentences there are.
    """

    counts: Mapping[str, int]
    worth: Mapping[str, float]
    names: Sequence[str]
    opening: frozenset[str]
    sentences: int


SINGLE = (
    "earliness", "lateness", "short", "long", "personal", "commas", "like_first", "frequency", "cut", "end",
    "worth", "best_word",
)  # fmt: skip
"""Features of one option. A set has their sum."""
JOINT = ("covered", "length", "density", "variety", "last", "expected", "names", "weakest")
"""Features of a set."""


def choose(
    options: Sequence[Option], subject: Subject, count: int, weights: Mapping[str, float]
) -> list[Option]:
    """Return the best `count` options in the article's order, no two of one sentence; fewer if there are.

    `weights` has one for each of SINGLE and JOINT.
    """
    ordered = np.array([weights[name] for name in (*SINGLE, *JOINT)])
    pool = Pool(promising(options, subject), subject)
    count = min(count, len({option.source for option in pool.options}))
    if count < 1:
        return []
    sets = pool.sets(min(count, TOGETHER))
    chosen = [int(place) for place in sets[np.argmax(pool.scores(sets, ordered))]]
    while len(chosen) < count:
        chosen.append(_next(pool, chosen, ordered))
    return sorted((pool.options[place] for place in chosen), key=lambda option: option.position)


def likely_sources(wholes: Sequence[Option], subject: Subject) -> set[int]:
    """Return the sentences worth cutting into forms: the best by themselves, whatever speaks against them."""
    unopposed = (replace(option, against=0.0) for option in wholes)
    return {option.source for option in promising(list(unopposed), subject, most=SHORTLIST)}


def promising(options: Sequence[Option], subject: Subject, most: int = POOL) -> list[Option]:
    """Return the `most` options that are best by themselves, by a rough measure, best first."""

    def promise(option: Option) -> float:
        gain = sum(subject.worth[stem] for stem in option.stems) - 0.07 * option.length
        curt = 0.03 * max(0, COMFORTABLE.start - option.length)
        return gain + 0.4 / math.sqrt(1 + option.position) - curt - option.against

    return sorted(options, key=promise, reverse=True)[:most]


def _next(pool: Pool, chosen: Sequence[int], weights: Floats) -> int:
    """Return the option that goes best with two of those chosen, whichever two."""
    taken = {pool.options[place].source for place in chosen}
    pairs = list(combinations(chosen, TOGETHER - 1))
    left = [place for place, option in enumerate(pool.options) if option.source not in taken]
    sets = np.array([[*pair, place] for place in left for pair in pairs])
    return left[int(np.argmax(pool.scores(sets, weights).reshape(len(left), len(pairs)).mean(axis=1)))]


class Pool:
    """The options of one article, laid out so that many sets of them are scored at once."""

    def __init__(self, options: Sequence[Option], subject: Subject) -> None:
        self.options = options
        used = sorted({stem for option in options for stem in option.stems})
        stems = {stem: place for place, stem in enumerate(used)}
        self._worth = np.array([subject.worth[stem] for stem in stems], dtype=np.float32)
        self._names = [stems[name] for name in subject.names if name in stems]
        self._has = np.zeros((len(options), len(stems)), dtype=np.float32)
        for place, option in enumerate(options):
            self._has[place, [stems[stem] for stem in option.stems]] = 1
        self._lengths = np.array([option.length for option in options], dtype=float)
        self._latest = np.log1p([option.position for option in options])
        self._against = np.array([option.against for option in options])
        self._single = self._singles(subject)

    def sets(self, size: int) -> Sets:
        """Return every set of `size` options of different sentences, as places of options, a row a set."""
        places = _combinations(len(self.options), size)
        sources = np.array([option.source for option in self.options])[places]
        sources.sort(axis=1)
        kept: Sets = places[(np.diff(sources, axis=1) != 0).all(axis=1)]
        return kept

    def scores(self, sets: Sets, weights: Floats) -> Floats:
        """Return what each set is worth; only differences mean something."""
        scores: Floats = self.features(sets) @ weights - self._against[sets].sum(axis=1)
        return scores

    def features(self, sets: Sets) -> Floats:
        """Return a row for each set: the sums of SINGLE, then JOINT."""
        has = reduce(np.maximum, (self._has[column] for column in sets.T))
        covered, length = has @ self._worth, self._lengths[sets].sum(axis=1)
        joint = (
            covered,
            length**2 / 1000,
            covered / length,
            has.sum(axis=1) / length,
            self._latest[sets].max(axis=1),
            # ROUGE's F, had the highlights 40 words and a quarter of ours were function words they share.
            2 * (covered + 0.25 * length) / (length + 40),
            has[:, self._names].sum(axis=1),
            self._single[sets][:, :, SINGLE.index("worth")].min(axis=1),
        )
        return np.column_stack([self._single[sets].sum(axis=1), *joint])

    def _singles(self, subject: Subject) -> Floats:
        return np.array([_single(option, subject) for option in self.options]).reshape(-1, len(SINGLE))


def _single(option: Option, subject: Subject) -> tuple[float, ...]:
    place = option.position / subject.sentences
    worths = [subject.worth[stem] for stem in option.stems]
    shared = len(option.stems & subject.opening) / math.sqrt(len(option.stems) * len(subject.opening) or 1)
    return (
        1 / math.sqrt(1 + option.position),
        place,
        max(0, COMFORTABLE.start - option.length),
        max(0, option.length - COMFORTABLE.stop + 1),
        option.is_personal,
        option.text.count(","),
        shared,
        sum(math.log(subject.counts[stem]) for stem in option.stems) / (len(option.stems) or 1),
        option.is_cut,
        place > END,
        sum(worths),
        max(worths, default=0.0),
    )


@cache
def _combinations(options: int, size: int) -> Sets:
    return np.array(list(combinations(range(options), size)), dtype=np.intp).reshape(-1, size)
