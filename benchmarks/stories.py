"""How well stories are told from subjects, and what it costs: `python -m benchmarks.stories`.

The labelled reports are in `benchmarks/data/stories`: invented, several on each event, beside others on the
same subject that must stay apart. Scored are pairs. `digest` is the rule as it ships, `digest, held out` its
weights fitted anew without the subjects they are scored on; `alone` compares each pair as if nothing else
had been published. `--week N` groups a generated week of N articles (`--before` by the old rule as well).
`--fit` prints the weights that these reports give.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import tomllib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.story_baselines import Pair, alike, before, containing
from benchmarks.week import week
from digest.domain.articles import Article, Block, BlockKind
from digest.gather.stories.grouping import find_stories
from digest.gather.stories.likeness import SAME_EVENT, Likeness
from digest.gather.stories.wording import read_traits, read_wordings

DATA = Path(__file__).parent / "data" / "stories"
FOLD = 3
"""Subjects that are held out at a time."""

RIDGE = 0.5
_MONDAY = datetime(2026, 11, 16, tzinfo=UTC)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A report, the event it is on, and the subject that it shares with other events."""

    article: Article
    event: str
    subject: str


@dataclass(frozen=True, slots=True)
class Score:
    """Pairs found beside pairs that should be."""

    precision: float
    recall: float
    f1: float
    found: int


def read_labelled(folder: Path = DATA) -> list[Labelled]:
    """Return the labelled reports of every language, in the order of the files."""
    found = []
    for file in sorted(folder.glob("*.toml")):
        for number, raw in enumerate(tomllib.loads(file.read_text(encoding="utf-8"))["article"]):
            paragraphs = raw["text"].strip().split("\n\n")
            article = Article(
                url=f"https://{raw['site']}/{file.stem}/{number}",
                title=raw["title"],
                blocks=tuple(Block(BlockKind.PARAGRAPH, " ".join(text.split())) for text in paragraphs),
                language=file.stem,
                published_at=_MONDAY + timedelta(hours=raw["hours"]),
            )
            found.append(Labelled(article, f"{file.stem}:{raw['event']}", f"{file.stem}:{raw['subject']}"))
    return found


def score(found: Collection[Pair], labelled: Sequence[Labelled]) -> Score:
    """Return how `found` compares with the pairs on one event."""
    true = {
        (a, b) for a, b in combinations(range(len(labelled)), 2) if labelled[a].event == labelled[b].event
    }
    hits = len(true & set(found))
    precision = hits / len(found) if found else 1.0
    recall = hits / len(true)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return Score(round(precision, 3), round(recall, 3), round(f1, 3), len(found))


def by_rule(articles: Sequence[Article]) -> set[Pair]:
    """Return the pairs that stand in one story of ours."""
    return {pair for story in find_stories(articles) for pair in combinations(story.members, 2)}


def each_alone(labelled: Sequence[Labelled], rule: Callable[[Sequence[Article]], set[Pair]]) -> set[Pair]:
    """Return the pairs a rule finds when it sees only the two."""
    return {
        (a, b)
        for a, b in combinations(range(len(labelled)), 2)
        if rule([labelled[a].article, labelled[b].article])
    }


@dataclass(frozen=True, slots=True)
class Sheet:
    """The evidence of every pair of one language, a row each, among all articles and as if alone."""

    pairs: list[Pair]
    among_all: Matrix
    alone: Matrix
    is_true: NDArray[np.bool_]
    subjects: list[tuple[str, str]]


def read_sheet(labelled: Sequence[Labelled]) -> Sheet:
    """Return the evidence of `labelled`."""
    articles = [entry.article for entry in labelled]
    pairs = [
        (a, b)
        for a, b in combinations(range(len(articles)), 2)
        if articles[a].language == articles[b].language
    ]
    together = _profiled(articles)
    among_all = [together.evidence(a, b).values() for a, b in pairs]
    alone = [_profiled([articles[a], articles[b]]).evidence(0, 1).values() for a, b in pairs]
    return Sheet(
        pairs,
        np.array(among_all),
        np.array(alone),
        np.array([labelled[a].event == labelled[b].event for a, b in pairs]),
        [(labelled[a].subject, labelled[b].subject) for a, b in pairs],
    )


def _profiled(articles: Sequence[Article]) -> Likeness:
    wordings, vocabulary = read_wordings(articles)
    return Likeness(articles, wordings, read_traits(vocabulary))


def fit(rows: Matrix, is_true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weights and the bias of a logistic regression with a ridge, by Newton's steps."""
    rows = np.c_[rows, np.ones(len(rows))]
    weights = np.zeros(rows.shape[1])
    ridge = np.append(np.full(len(weights) - 1, RIDGE), 1e-6)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (chance - is_true) + ridge * weights
        step = np.linalg.solve(rows.T @ (rows * (chance * (1 - chance))[:, None]) + np.diag(ridge), slope)
        weights -= step
    return weights


def held_out(sheet: Sheet, rows: Matrix, *, seed: int) -> set[Pair]:
    """Return the pairs found by weights that were fitted without their subjects, a few subjects at a time."""
    subjects = sorted({subject for both in sheet.subjects for subject in both})
    random.Random(seed).shuffle(subjects)
    found: set[Pair] = set()
    for at in range(0, len(subjects), FOLD):
        out = set(subjects[at : at + FOLD])
        tested = np.array([not out.isdisjoint(both) for both in sheet.subjects])
        weights = _fitted(sheet, ~tested)
        chance = 1 / (1 + np.exp(-np.c_[rows, np.ones(len(rows))] @ weights))
        found |= {sheet.pairs[row] for row in np.flatnonzero(tested & (chance >= SAME_EVENT))}
    return found


def _fitted(sheet: Sheet, used: NDArray[np.bool_]) -> NDArray[np.float64]:
    return fit(
        np.r_[sheet.among_all[used], sheet.alone[used]], np.r_[sheet.is_true[used], sheet.is_true[used]]
    )


def scores(labelled: Sequence[Labelled]) -> dict[str, Score]:
    """Return what each rule reaches. Held out is the mean of three ways to part the subjects."""
    articles = [entry.article for entry in labelled]
    sheet = read_sheet(labelled)
    held = [score(held_out(sheet, sheet.among_all, seed=seed), labelled) for seed in (1, 2, 3)]
    held_alone = [score(held_out(sheet, sheet.alone, seed=seed), labelled) for seed in (1, 2, 3)]
    return {
        "before": score(before(articles), labelled),
        "shingles >= 0.5": score(containing(articles), labelled),
        "cosine >= 0.6": score(alike(articles), labelled),
        "cosine >= 0.2": score(alike(articles, cosine=0.2), labelled),
        "digest": score(by_rule(articles), labelled),
        "digest, alone": score(each_alone(labelled, by_rule), labelled),
        "digest, held out": _mean(held),
        "digest, held out, alone": _mean(held_alone),
    }


def _mean(of: Sequence[Score]) -> Score:
    def mean(values: list[float]) -> float:
        return round(sum(values) / len(values), 3)

    return Score(
        mean([one.precision for one in of]),
        mean([one.recall for one in of]),
        mean([one.f1 for one in of]),
        round(mean([one.found for one in of])),
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, megabytes above what the articles take, and stories of more than one article."""

    articles: int
    seconds: float
    peak_mb: int
    stories: int


def cost(articles: Sequence[Article], rule: Callable[[Sequence[Article]], int]) -> Cost:
    """Run `rule`, which returns how many stories it found, and return what it took (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far: proc(5)
    held, start = _megabytes("VmRSS"), time.process_time()
    stories = rule(articles)
    seconds = time.process_time() - start
    return Cost(len(articles), round(seconds, 1), round(_megabytes("VmHWM") - held), stories)


def _megabytes(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def _count_ours(articles: Sequence[Article]) -> int:
    return sum(len(story.members) > 1 for story in find_stories(articles))


def _count_before(articles: Sequence[Article]) -> int:
    pairs = before(articles)
    return len({one for one, _ in pairs} - {other for _, other in pairs})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures that were asked for; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stories", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--week", type=int, metavar="N", help="group a generated week of N articles instead")
    parser.add_argument("--before", action="store_true", help="with --week: by the old rule too")
    parser.add_argument("--fit", action="store_true", help="print the weights of these reports instead")
    options = parser.parse_args(arguments)
    if options.fit:
        sheet = read_sheet(read_labelled())
        print(np.round(_fitted(sheet, np.ones(len(sheet.pairs), bool)), 2).tolist())
    elif options.week:
        articles = week(options.week)
        costs = {"digest": cost(articles, _count_ours)}
        if options.before:
            costs["before"] = cost(articles, _count_before)
        print(_json(costs) if options.json else _cost_table(costs))
    else:
        found = scores(read_labelled())
        print(_json(found) if options.json else _score_table(found))
    return 0


def _json(figures: dict[str, Score] | dict[str, Cost]) -> str:
    return json.dumps(
        {name: {key: getattr(own, key) for key in own.__slots__} for name, own in figures.items()}
    )


def _score_table(found: dict[str, Score]) -> str:
    head = f"{'':26}{'precision':>10}{'recall':>8}{'F1':>8}{'pairs':>7}"
    rows = [f"{name:26}{s.precision:10.3f}{s.recall:8.3f}{s.f1:8.3f}{s.found:7}" for name, s in found.items()]
    return "\n".join([head, *rows])


def _cost_table(costs: dict[str, Cost]) -> str:
    head = f"{'':10}{'articles':>9}{'seconds':>9}{'MB':>6}{'stories':>9}"
    rows = [f"{name:10}{c.articles:9}{c.seconds:9.1f}{c.peak_mb:6}{c.stories:9}" for name, c in costs.items()]
    return "\n".join([head, *rows])


if __name__ == "__main__":
    sys.exit(main())
