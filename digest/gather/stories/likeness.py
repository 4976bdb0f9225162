"""Whether two articles report one event in words of their own.

Such reports share few runs of words. They share who, where and how many: the names and figures of title and
lead, the rarer the more telling. What is on one subject only (two matches of a league, two firms' results,
today's weather and yesterday's) shares words and some names, but not the figures.

The weights were fitted on invented reports, and judged on those of other subjects than they were fitted on:
`python -m benchmarks.stories`, docs/decisions/0020.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from digest.domain.articles import Article
from digest.gather.stories.pairing import keyed, shared_worth
from digest.gather.stories.wording import STOP, Flags, Ids, Traits, Wording, site

Weights = NDArray[np.float32]

APART = timedelta(hours=72)
"""Reports further apart than this are on what became of an event, not on it."""

SAME_EVENT = 0.7

LEAD_WORDS = 120
"""Words that count as title and lead: long articles share names and figures by their length alone."""

# The heaviest terms of a text are nearly all of its direction: the rest would be half of the memory.
_HEAVIEST = 128
# Without a date an article may be of any day of the week that is compared.
_UNKNOWN_DAYS = 1.0
# As if so many more articles had been read that name nothing of this: a small week has no rare words.
_UNREAD = 20
_MIN_TERM_LETTERS = 4
_MIN_NAME_LETTERS = 3
_TELLING = 1.5
# In hundredths: names and figures that are worth less are never enough, were all else in favour.
_WORTH = 100
_WORTH_A_LOOK = 2.7 * _WORTH
# What stands everywhere, weekdays and the like, is left out of the count.
_WORTH_COUNTING = 0.2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one event behind two articles, and against it.

    `likeness` is the cosine of what both say, of the leads or the whole, whichever is less. `names` is the
    share of the names of the one with fewer that the other has too, `named` and `counted` how many names
    and figures are shared, by rarity and damped. `clash` is 1 when both have figures and none in common.
    `days` is how far apart they are, `one_site` 1 when one site has both.
    """

    likeness: float
    names: float
    named: float
    counted: float
    clash: float
    days: float
    one_site: float

    def values(self) -> tuple[float, ...]:
        """The evidence in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))


WEIGHTS = Evidence(
    likeness=0.92, names=2.53, named=2.04, counted=4.06, clash=-3.31, days=-0.99, one_site=-0.95
)
BIAS = -4.87


def chance(evidence: Evidence) -> float:
    """Return how likely two articles with this evidence report one event, 0 to 1."""
    score = BIAS + sum(w * v for w, v in zip(WEIGHTS.values(), evidence.values(), strict=True))
    return 1 / (1 + math.exp(-score))


@dataclass(frozen=True, slots=True)
class _Profile:
    """What an article is compared by; every array of terms is sorted, every vector has length 1."""

    terms: Ids
    weights: Weights
    lead_terms: Ids
    lead_weights: Weights
    names: Ids
    name_rarity: Weights
    figures: Ids
    figure_rarity: Weights
    telling: Ids


class Likeness:
    """Articles profiled among the others of their language, in the order they were given."""

    def __init__(self, articles: Sequence[Article], wordings: Sequence[Wording], traits: Traits) -> None:
        self._articles = articles
        self._sites = [site(article) for article in articles]
        self._profiles: list[_Profile] = [_EMPTY] * len(articles)
        self._worth = np.zeros(len(traits.letters), np.float64)
        by_language: dict[str | None, list[int]] = defaultdict(list)
        for index, article in enumerate(articles):
            by_language[article.language].append(index)
        for language, members in by_language.items():
            terms = _Terms([wordings[index] for index in members], traits)
            for index in members:
                self._profiles[index] = terms.profile(wordings[index])
            if language is not None:
                np.maximum(self._worth, terms.worth, out=self._worth)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs, lower first, whose leads share names or figures enough to be worth a look."""
        keys = [np.zeros(0, np.uint64)]
        for owner, profile in enumerate(self._profiles):
            if self._articles[owner].language is not None:
                own = np.concatenate([profile.names, profile.figures]).astype(np.uint32)
                keys.append(keyed(own[self._worth[own] >= _WORTH_COUNTING], owner))
        found = shared_worth([np.concatenate(keys)], (_WORTH * self._worth).astype(np.uint64))
        found = found.where(found.worth >= _WORTH_A_LOOK)
        yield from zip(found.one.tolist(), found.other.tolist(), strict=True)

    def chance(self, one: int, other: int) -> float:
        """Return how likely two articles report one event; 0 where a rule forbids it.

        Articles of different or unknown languages and more than 72 hours apart are never taken for that.
        """
        languages = {self._articles[one].language, self._articles[other].language}
        if len(languages) > 1 or None in languages or self._days(one, other) * timedelta(days=1) > APART:
            return 0.0
        return chance(self.evidence(one, other))

    def evidence(self, one: int, other: int) -> Evidence:
        """Return what two articles of one language have in common."""
        a, b = self._profiles[one], self._profiles[other]
        named = _shared(a.names, a.name_rarity, b.names)
        counted = _shared(a.figures, a.figure_rarity, b.figures)
        fewer = min(a.name_rarity.sum(), b.name_rarity.sum())
        return Evidence(
            likeness=min(
                _cosine(a.lead_terms, a.lead_weights, b.lead_terms, b.lead_weights),
                _cosine(a.terms, a.weights, b.terms, b.weights),
            ),
            names=float(named.sum() / fewer) if fewer else 0.0,
            named=math.log1p(float((named**2).sum())),
            counted=math.log1p(float(counted.sum())),
            clash=float(bool(len(a.figures) and len(b.figures) and not len(counted))),
            days=self._days(one, other),
            one_site=float(self._sites[one] == self._sites[other]),
        )

    def _days(self, one: int, other: int) -> float:
        first, second = self._articles[one].published_at, self._articles[other].published_at
        if first is None or second is None:
            return _UNKNOWN_DAYS
        return abs(first - second) / timedelta(days=1)

    def told_in(self, one: int, other: int) -> float:
        """Return the share of names and figures of the one with fewer that the other has too; 1 without any.

        Of whole texts: it parts what a machine wrote about two firms in the same words from what was cut.
        """
        shorter, longer = sorted((self._profiles[one].telling, self._profiles[other].telling), key=len)
        if not len(shorter):
            return 1.0
        return int(np.count_nonzero(_places(shorter, longer)[1])) / len(shorter)


class _Terms:
    """What the words of one language are worth among these articles."""

    def __init__(self, wordings: Sequence[Wording], traits: Traits) -> None:
        self._traits = traits
        size = len(traits.letters)
        held, inside, capital = (np.zeros(size, np.int32) for _ in range(3))
        for wording in wordings:
            held[np.unique(traits.stem[np.concatenate([wording.title, wording.text])])] += 1
            # A title may have capitals throughout, and a sentence always begins with one.
            running = wording.text[1:][(wording.text[1:] != STOP) & (wording.text[:-1] != STOP)]
            stems = traits.stem[running]
            np.add.at(inside, stems, 1)
            np.add.at(capital, stems, traits.is_capital[running])
        read = len(wordings) + _UNREAD
        self._rarity = (np.log(read / (held + 1.0)) / math.log(read / 2)).clip(0, 1).astype(np.float32)
        self._is_name: Flags = (2 * capital >= inside) & (inside > 0) & (traits.letters >= _MIN_NAME_LETTERS)
        self._counts: Flags = (traits.letters >= _MIN_TERM_LETTERS) | traits.is_figure | self._is_name
        self._counts[STOP] = False
        # The most that sharing a term can add to the score: log1p(x) is at most x.
        self.worth = WEIGHTS.named * self._rarity**2 * self._is_name
        self.worth[traits.is_figure] = WEIGHTS.counted * self._rarity[traits.is_figure]

    def profile(self, wording: Wording) -> _Profile:
        text = wording.text[wording.text != STOP]
        lead = self._traits.stem[np.concatenate([wording.title, text[:LEAD_WORDS]])]
        whole = self._traits.stem[np.concatenate([wording.title, text])]
        found, everything = np.unique(lead), np.unique(whole)
        names = found[self._is_name[found]]
        figures = found[self._traits.is_figure[found]]
        telling = everything[self._is_name[everything] | self._traits.is_figure[everything]]
        return _Profile(
            *self._vector(whole),
            *self._vector(lead),
            names,
            self._rarity[names],
            figures,
            self._rarity[figures],
            telling,
        )

    def _vector(self, stems: Ids) -> tuple[Ids, Weights]:
        terms, counts = np.unique(stems, return_counts=True)
        kept = self._counts[terms]
        terms, counts = terms[kept], counts[kept]
        telling = self._traits.is_figure[terms] | self._is_name[terms]
        weights = (1 + np.log(counts)) * self._rarity[terms] * np.where(telling, _TELLING, 1.0)
        length = np.linalg.norm(weights)
        if len(terms) > _HEAVIEST:
            heaviest = np.sort(np.argsort(-weights, kind="stable")[:_HEAVIEST])
            terms, weights = terms[heaviest], weights[heaviest]
        return terms, (weights / length if length else weights).astype(np.float32)


def _shared(terms: Ids, rarity: Weights, others: Ids) -> Weights:
    return rarity[_places(terms, others)[1]]


def _cosine(terms: Ids, weights: Weights, other_terms: Ids, other_weights: Weights) -> float:
    places, found = _places(terms, other_terms)
    return float(weights[found] @ other_weights[places[found]])


def _places(terms: Ids, others: Ids) -> tuple[NDArray[np.int64], Flags]:
    """Return where each of `terms` would stand in `others`, and whether it does. Both are sorted."""
    if not len(others):
        return np.zeros(len(terms), np.int64), np.zeros(len(terms), np.bool_)
    places = np.minimum(np.searchsorted(others, terms), len(others) - 1)
    return places, others[places] == terms


_NONE, _NO_WEIGHT = np.zeros(0, np.int32), np.zeros(0, np.float32)
_EMPTY = _Profile(_NONE, _NO_WEIGHT, _NONE, _NO_WEIGHT, _NONE, _NO_WEIGHT, _NONE, _NO_WEIGHT, _NONE)
