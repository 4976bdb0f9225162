"""Learn topics from what editors decided. Imported only to do that: scikit-learn takes a second to load."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from digest.condense.topics.belonging import Grounds, topics_of
from digest.condense.topics.learned import (
    EXAMPLES_MIN,
    Learned,
    Model,
    count_grams,
    examples_of,
    features_of,
)
from digest.domain.topics import Topic, TopicSlug
from digest.store.articles import StoredArticle

PRECISION_MIN = 0.8
HITS_MIN = 8
"""It speaks where, on articles held back, it was right so often, and so many times."""
LIKELY_MIN = 0.3
"""It never speaks of what it finds less likely than that."""
FOLDS = 5
STIFFNESS = 10.0
"""Inverse regularisation: of 10 and 100 the stiffer did better on the labelled set, held out."""
GRAMS_MAX = 20_000

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Examples:
    """The rows of one topic's examples: whether each belongs to it, and how much it counts."""

    rows: NDArray[np.int64]
    is_yes: NDArray[np.bool_]
    counts: Numbers


def learn_topics(articles: Sequence[StoredArticle], grounds: Grounds) -> Model:
    """Return what `articles`, all of them judged by editors, teach of the topics. The same, every time.

    A topic with too few examples, or which could not be told well enough on articles held back, is left out.
    """
    counted = [count_grams(stored.article) for stored in articles]
    rarity = _rarity(counted)
    places = {gram: place for place, gram in enumerate(rarity)}
    table = _table([features_of(counts, rarity) for counts in counted], places)
    matched = [frozenset(match.slug for match in topics_of(stored, grounds)) for stored in articles]
    learned: dict[TopicSlug, Learned] = {}
    for topic in grounds.topics:
        examples = _examples(articles, matched, topic, grounds)
        if examples and (found := _learn(table, examples, list(places))):
            learned[topic.slug] = found
    return Model(rarity, learned)


def _rarity(counted: Sequence[Mapping[str, int]]) -> dict[str, float]:
    """Return how telling each part of a word is that at least two articles hold, the commonest first."""
    holders = Counter(gram for counts in counted for gram in counts)
    common = sorted(
        (gram for gram, held in holders.items() if held > 1), key=lambda gram: (-holders[gram], gram)
    )
    return {gram: round(1 + math.log(len(counted) / holders[gram]), 3) for gram in common[:GRAMS_MAX]}


def _table(rows: Sequence[Mapping[str, float]], places: Mapping[str, int]) -> csr_matrix:
    starts = np.cumsum([0, *(len(row) for row in rows)])
    columns = [places[gram] for row in rows for gram in row]
    weights = [weight for row in rows for weight in row.values()]
    return csr_matrix((weights, columns, starts), shape=(len(rows), len(places)))


def _examples(
    articles: Sequence[StoredArticle],
    matched: Sequence[frozenset[TopicSlug]],
    topic: Topic,
    grounds: Grounds,
) -> _Examples | None:
    """Return what speaks for and against a topic, None when that is too little."""
    found = examples_of(topic.slug, [grounds.verdicts[stored.id] for stored in articles], matched)
    yes = sum(one.is_yes for one in found)
    if min(yes, len(found) - yes) < EXAMPLES_MIN:
        return None
    return _Examples(
        np.array([one.place for one in found]),
        np.array([one.is_yes for one in found]),
        np.array([one.counts for one in found]),
    )


def _learn(table: csr_matrix, examples: _Examples, grams: Sequence[str]) -> Learned | None:
    rows, is_yes = table[examples.rows], examples.is_yes
    likely = _held_out(rows, examples)
    speaks_from = _speaks_from(likely, is_yes)
    if speaks_from is None:
        return None
    model = _fitted(rows, is_yes, examples.counts)
    weights = {gram: round(float(weight), 3) for gram, weight in zip(grams, model.coef_[0], strict=True)}
    said = likely >= speaks_from
    return Learned(
        weights={gram: weight for gram, weight in weights.items() if weight},
        bias=round(float(model.intercept_[0]), 4),
        speaks_from=round(speaks_from, 4),
        yes=int(is_yes.sum()),
        no=int((~is_yes).sum()),
        precision=round(float(is_yes[said].mean()), 3),
        recall=round(float(said[is_yes].mean()), 3),
    )


def _held_out(rows: csr_matrix, examples: _Examples) -> Numbers:
    """Return how likely each example belongs, by a model that has not seen it."""
    likely = np.zeros(len(examples.is_yes))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for seen, held in folds.split(rows, examples.is_yes):
        model = _fitted(rows[seen], examples.is_yes[seen], examples.counts[seen])
        likely[held] = model.predict_proba(rows[held])[:, 1]
    return likely


def _fitted(rows: csr_matrix, is_yes: NDArray[np.bool_], counts: Numbers) -> LogisticRegression:
    # With more features than examples the dual form takes a sixth of the time. Its seed is fixed: the same
    # examples give the same weights.
    model = LogisticRegression(
        C=STIFFNESS, solver="liblinear", dual=True, class_weight="balanced", random_state=0
    )
    return model.fit(rows, is_yes, sample_weight=counts)


def _speaks_from(likely: Numbers, is_yes: NDArray[np.bool_]) -> float | None:
    """Return the lowest probability from `LIKELY_MIN` on, from which on precision and hits are enough."""
    for threshold in np.unique(likely[likely >= LIKELY_MIN]):
        said = likely >= threshold
        if is_yes[said].sum() < HITS_MIN:
            return None
        if is_yes[said].mean() >= PRECISION_MIN:
            return float(threshold)
    return None
