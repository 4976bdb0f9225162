"""Fit the models of `digest.condense.worth` and `digest.condense.ranking`.

`python -m benchmarks.fit_takeaways FILE` prints how takeaways score on articles that their model was not
fitted on: FILE, which is one that `benchmarks.takeaways` reads, is parted in five, and each part is scored
by a model of the other four. `--write` fits the model on all of FILE and writes it into the package.

Words: logistic regression, by Newton's method, of "is this stem in the highlights?". Sets: ridge regression
of ROUGE-1, less its mean over the article's sets, on every set of three that the ranking would look at.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.rouge import words_of
from benchmarks.takeaways import COUNT, MAX_WORDS, Sample, measure, read_samples, table
from digest.condense import extractive
from digest.condense.candidates import find_candidates
from digest.condense.language import get_language
from digest.condense.model import Model
from digest.condense.ranking import JOINT, SINGLE, Floats, Option, Pool, Sets, promising
from digest.condense.styles import Manner, letters_per_word
from digest.condense.words import WORD, stems, words
from digest.condense.worth import NUMBERS, features
from digest.domain.articles import Style

PARTS = 5
ROUNDS = 12
RIDGE_OF_WORDS = 1.0
RIDGE_OF_SETS = 45_000.0
"""Best of 20,000, 45,000, 90,000; the sets of an article are alike, so they weigh less than their number."""
WEIGHTS = Path(extractive.__file__).with_name("weights.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures of the parts, or write the weights; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_takeaways", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON Lines")
    parser.add_argument("--write", action="store_true", help=f"write {WEIGHTS.name}")
    parser.add_argument("--seed", type=int, default=1, help="how the file is parted")
    options = parser.parse_args(arguments)
    samples = list(read_samples(options.file))
    if options.write:
        WEIGHTS.write_text(_written(fit(samples)), encoding="utf-8")
    else:
        print(held_out(samples, options.seed))
    return 0


def held_out(samples: Sequence[Sample], seed: int) -> str:
    """Return the table of `benchmarks.takeaways`, each article scored by a model fitted without it."""
    order = random.Random(seed).sample(samples, len(samples))
    parts = [order[start::PARTS] for start in range(PARTS)]
    models = [fit([sample for other in parts if other is not part for sample in other]) for part in parts]
    of = {id(sample): model for part, model in zip(parts, models, strict=True) for sample in part}
    return table(measure(iter(order), ours=lambda sample: takeaways_by(of[id(sample)], sample)))


def takeaways_by(model: Model, sample: Sample) -> list[str]:
    """Return the takeaways of an article that a model makes, as the default style has them."""
    extract = partial(extractive.extract, count=COUNT, max_words=MAX_WORDS, style=Style.NEUTRAL)
    return [takeaway.text for takeaway in extract(sample.article, model=model)]


def fit(samples: Sequence[Sample]) -> Model:
    """Return the model that fits these articles."""
    worth = _fit_words(samples)
    return Model(worth, _fit_sets([seen for sample in samples if (seen := _look(sample, worth))]))


def _fit_words(samples: Sequence[Sample]) -> dict[str, float]:
    rows, outcomes = zip(*(row for sample in samples for row in _stems(sample)), strict=True)
    numbers, wanted = np.array(rows), np.array(outcomes, dtype=float)
    weights = np.zeros(len(NUMBERS))
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-numbers @ weights))
        slope = numbers.T @ (chance - wanted) + RIDGE_OF_WORDS * weights
        bend = (numbers * (chance * (1 - chance))[:, None]).T @ numbers
        weights -= np.linalg.solve(bend + RIDGE_OF_WORDS * np.eye(len(weights)), slope)
    return dict(zip(NUMBERS, map(float, weights), strict=True))


def _stems(sample: Sample) -> Iterator[tuple[tuple[float, ...], bool]]:
    language = get_language(sample.language)
    wanted = {stem for text in sample.highlights for stem in stems(words(text), language)}
    candidates = find_candidates(sample.article, language)
    found = features([extractive.terms_of(candidate, language) for candidate in candidates])
    for stem, feature in found.items():
        yield feature.numbers(), stem in wanted


@dataclass(frozen=True, slots=True)
class _Seen:
    """The sets of one article: their features and their ROUGE-1, both less the article's mean."""

    features: Floats
    rouge: Floats


def _look(sample: Sample, worth: Mapping[str, float]) -> _Seen | None:
    language = get_language(sample.language)
    candidates = find_candidates(sample.article, language)
    if len(candidates) < 2 * COUNT:
        return None
    manner = Manner(Style.NEUTRAL, language, letters_per_word(WORD.findall(sample.article.text)))
    subject = extractive.find_subject(candidates, sample.article.title, language, worth)
    options = extractive.find_options(candidates, subject, manner, MAX_WORDS)
    pool = Pool(promising(options, subject), subject)
    sets = pool.sets(COUNT)
    if not len(sets):
        return None
    numbers, scores = pool.features(sets), _rouge_of_sets(pool.options, sets, sample.highlights)
    return _Seen(numbers - numbers.mean(axis=0), scores - scores.mean())


def _rouge_of_sets(options: Sequence[Option], sets: Sets, highlights: Sequence[str]) -> Floats:
    wanted = Counter(word for text in highlights for word in words_of(text))
    found = [Counter(words_of(option.text)) for option in options]
    counts = np.array([[one[word] for word in wanted] for one in found], dtype=float)
    common = np.minimum(counts[sets].sum(axis=1), list(wanted.values())).sum(axis=1)
    lengths = np.array([one.total() for one in found])[sets].sum(axis=1)
    rouge: Floats = 200 * common / (lengths + wanted.total())
    return rouge


def _fit_sets(seen: Sequence[_Seen]) -> dict[str, float]:
    numbers = np.vstack([one.features for one in seen])
    scale = numbers.std(axis=0) + 1e-9
    numbers = numbers / scale
    ridge = RIDGE_OF_SETS * np.eye(numbers.shape[1])
    weights = np.linalg.solve(
        numbers.T @ numbers + ridge, numbers.T @ np.concatenate([one.rouge for one in seen])
    )
    return dict(zip((*SINGLE, *JOINT), map(float, weights / scale), strict=True))


def _written(model: Model) -> str:
    lines = ["# Written by `python -m benchmarks.fit_takeaways FILE --write`."]
    for name, fitted in (("worth", model.worth), ("sets", model.sets)):
        lines += ["", f"[{name}]", *(f"{feature} = {weight:.5g}" for feature, weight in fitted.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
