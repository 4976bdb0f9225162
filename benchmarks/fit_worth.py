"""Fit the weights of `digest.condense.worth`: `python -m benchmarks.fit_worth FILE`.

FILE is one that `benchmarks.takeaways` reads. Logistic regression by Newton's method over every stem of
every article: is it in the highlights or not? Prints the weights by the names they have in the module.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.takeaways import Sample, read_samples
from digest.condense.candidates import find_candidates
from digest.condense.extractive import terms_of
from digest.condense.language import get_language
from digest.condense.words import stems, words
from digest.condense.worth import features

NAMES = ("BASE", "COUNT", "SPREAD", "LATENESS", "NAME", "FIGURE")
ROUNDS = 12
RIDGE = 1.0

Row = tuple[tuple[float, ...], bool]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the weights and return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_worth", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON Lines")
    rows = [row for sample in read_samples(parser.parse_args(arguments).file) for row in _rows(sample)]
    for name, weight in zip(NAMES, fit(rows), strict=True):
        print(f"{name} = {weight:.3f}")
    return 0


def _rows(sample: Sample) -> Iterator[Row]:
    language = get_language(sample.language)
    wanted = {stem for text in sample.highlights for stem in stems(words(text), language)}
    sentences = [terms_of(candidate, language) for candidate in find_candidates(sample.article, language)]
    for stem, f in features(sentences).items():
        numbers = (1.0, math.log(f.count), f.spread, math.log(1 + f.first), f.name, float(f.figure))
        yield numbers, stem in wanted


def fit(rows: Sequence[Row]) -> list[float]:
    """Return the weights that make the outcomes of `rows` likeliest, with a small ridge."""
    size = len(NAMES)
    weights = [0.0] * size
    for _ in range(ROUNDS):
        slope = [RIDGE * weight for weight in weights]
        bend = [[RIDGE * (row == column) for column in range(size)] for row in range(size)]
        for numbers, outcome in rows:
            chance = 1 / (1 + math.exp(-sum(map(float.__mul__, weights, numbers))))
            spread = chance * (1 - chance)
            for row in range(size):
                slope[row] += (chance - outcome) * numbers[row]
                for column in range(size):
                    bend[row][column] += spread * numbers[row] * numbers[column]
        weights = [weight - step for weight, step in zip(weights, solve(bend, slope), strict=True)]
    return weights


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Solve a positive definite system by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for pivot, pivot_row in enumerate(rows):
        for place, row in enumerate(rows):
            if place != pivot:
                share = row[pivot] / pivot_row[pivot]
                rows[place] = [value - share * other for value, other in zip(row, pivot_row, strict=True)]
    return [row[-1] / row[place] for place, row in enumerate(rows)]


if __name__ == "__main__":
    raise SystemExit(main())
