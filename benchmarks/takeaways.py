"""Score takeaways against the highlights people wrote: `python -m benchmarks.takeaways FILE`.

FILE holds an article a line, `{"id", "title", "text", "highlights": […]}`, with an optional `language`
("en" where it is missing). Ours are three takeaways. Beside them stand Lead-3, LexRank and TextRank at
the same number of words, article by article (`--at sentences` gives each three whole sentences instead).
ROUGE is our own (see `benchmarks.rouge`), in percent. `alone` is the share of takeaways that can stand
alone: they do not open with a pronoun, a connective or a quotation, nor lie within one. With `--memory`
10,000 articles of 800 words, made of FILE's sentences, are condensed, and what the process holds is printed.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from statistics import fmean
from typing import TypedDict

from benchmarks.baselines import Ranking, lead, lexrank, textrank
from benchmarks.rouge import Rouge, rouge
from digest.condense.language import get_language
from digest.condense.sentences import split_sentences
from digest.condense.standing import is_mid_quote, leans, opens_with_quote
from digest.condense.takeaways import condense_article
from digest.domain.articles import BLOCK_SEPARATOR, Article, Block, BlockKind

COUNT = 3
MAX_WORDS = 35
RESAMPLES = 1000
MANY = 10_000

BASELINES: dict[str, Ranking] = {"lead3": lead, "lexrank": lexrank, "textrank": textrank}


class BadFile(Exception):
    """The file is not what this program reads; says where and what is wrong."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An article and the highlights a person wrote for it."""

    article: Article
    language: str
    highlights: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What one system did, an entry an article."""

    scores: list[Rouge] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    unanchored: list[bool] = field(default_factory=list)


class Figures(TypedDict):
    """What is printed for a system."""

    rouge1: float
    rouge2: float
    rougeL: float
    ms_per_article: float
    words: float
    cannot_stand_alone: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return 0, or 2 when the file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.takeaways", description=__doc__)
    parser.add_argument("file", type=Path, help="JSON Lines")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--memory", action="store_true", help="condense 10,000 articles, print memory")
    parser.add_argument("--limit", type=int, help="read only the first N articles")
    parser.add_argument("--at", choices=("words", "sentences"), default="words", help="what is equal (words)")
    options = parser.parse_args(arguments)
    try:
        samples = islice(read_samples(options.file), options.limit)
        if options.memory:
            print(endurance(list(samples)))
            return 0
        tallies = measure(samples, equal_words=options.at == "words")
    except (OSError, BadFile) as exc:
        print(f"benchmarks.takeaways: {exc}", file=sys.stderr)
        return 2
    print(json.dumps(report(tallies)) if options.json else table(tallies))
    return 0


def read_samples(path: Path) -> Iterator[Sample]:
    """Yield the articles of a JSON Lines file. Raises `BadFile` for a line that is not one."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield _sample(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError) as exc:
                    raise BadFile(
                        f"{path} line {number}: not an article with text and highlights ({exc!r})"
                    ) from exc


def _sample(raw: dict[str, object]) -> Sample:
    text, highlights, language = raw["text"], raw["highlights"], str(raw.get("language") or "en")
    if not isinstance(text, str):
        raise TypeError("text is not a string")
    if not isinstance(highlights, list) or not all(isinstance(each, str) for each in highlights):
        raise TypeError("highlights is not a list of strings")
    paragraphs = (" ".join(part.split()) for part in text.split(BLOCK_SEPARATOR))
    blocks = tuple(Block(BlockKind.PARAGRAPH, part) for part in paragraphs if part)
    # No title is given for some sets; an article must have one, and this one shares no word with any.
    title = str(raw.get("title") or "—")
    url = f"https://example.org/{raw.get('id', '')}"
    return Sample(Article(url, title, blocks, language), language, tuple(highlights))


def condensed(sample: Sample) -> list[str]:
    """Return our takeaways of an article."""
    takeaways = condense_article(sample.article, count=COUNT, max_words=MAX_WORDS).takeaways
    return [takeaway.text for takeaway in takeaways]


def measure(
    samples: Iterator[Sample],
    *,
    equal_words: bool = True,
    ours: Callable[[Sample], list[str]] = condensed,
) -> dict[str, Tally]:
    """Run every system over the articles, ours under `digest`. Raises `BadFile` when there are none."""
    tallies = {name: Tally() for name in ("digest", *BASELINES)}
    first = next(samples, None)
    if first is None:
        raise BadFile("the file has no articles")
    # What is read once, models and words, is no article's cost.
    ours(first)
    for ranking in BASELINES.values():
        _pick(first, ranking, None)
    for sample in chain([first], samples):
        start = time.process_time()
        made = ours(sample)
        _note(tallies["digest"], sample, made, time.process_time() - start)
        budget = sum(len(text.split()) for text in made) if equal_words else None
        for name, ranking in BASELINES.items():
            start = time.process_time()
            theirs = _pick(sample, ranking, budget)
            _note(tallies[name], sample, theirs, time.process_time() - start)
    return tallies


def _pick(sample: Sample, ranking: Ranking, budget: int | None) -> list[str]:
    """Return the best sentences in the article's order: three, or as many words as `budget`."""
    text = sample.article.text
    sentences = [text[span.start : span.end] for span in split_sentences(text, sample.language)]
    ranked = ranking(sentences, sample.language)
    if budget is None:
        return [sentences[place] for place in sorted(ranked[:COUNT])]
    picked: dict[int, str] = {}
    for place in ranked:
        words = sentences[place].split()[:budget]
        if not words:
            break
        picked[place] = " ".join(words)
        budget -= len(words)
    return [picked[place] for place in sorted(picked)]


def _note(tally: Tally, sample: Sample, takeaways: list[str], seconds: float) -> None:
    language = get_language(sample.language)
    tally.scores.append(rouge(takeaways, sample.highlights))
    tally.seconds.append(seconds)
    tally.words.append(sum(len(text.split()) for text in takeaways))
    tally.unanchored += [
        leans(text, language) or opens_with_quote(text) or is_mid_quote(text) for text in takeaways
    ]


def figures_of(tally: Tally) -> Figures:
    """Return the means of a tally: percent, milliseconds, words an article."""
    return Figures(
        rouge1=round(100 * fmean(score.rouge1 for score in tally.scores), 2),
        rouge2=round(100 * fmean(score.rouge2 for score in tally.scores), 2),
        rougeL=round(100 * fmean(score.rougeL for score in tally.scores), 2),
        ms_per_article=round(1000 * fmean(tally.seconds), 2),
        words=round(fmean(tally.words), 1),
        cannot_stand_alone=round(100 * fmean(tally.unanchored), 1) if tally.unanchored else 0.0,
    )


def advantage(ours: Tally, theirs: Tally) -> dict[str, float]:
    """Return how far `ours` is ahead in ROUGE-1, with the 95 % interval of a paired bootstrap."""
    ahead = [100 * (a.rouge1 - b.rouge1) for a, b in zip(ours.scores, theirs.scores, strict=True)]
    draw = random.Random(1)  # fixed: the same file gives the same interval
    means = sorted(fmean(draw.choices(ahead, k=len(ahead))) for _ in range(RESAMPLES))
    low, high = means[RESAMPLES // 40], means[-RESAMPLES // 40 - 1]
    return {"mean": round(fmean(ahead), 2), "low": round(low, 2), "high": round(high, 2)}


def endurance(samples: Sequence[Sample]) -> str:
    """Condense MANY different articles of about 800 words, made of these; return what it took."""
    sentences = [line for sample in samples for line in sample.article.text.split(". ") if line]
    each = 800 * len(sentences) // sum(len(line.split()) for line in sentences)
    draw, peaks, start = random.Random(1), [], time.process_time()
    for number in range(1, MANY + 1):
        block = Block(BlockKind.PARAGRAPH, ". ".join(draw.choices(sentences, k=each)))
        condense_article(Article(f"https://example.org/{number}", "—", (block,), "en"))
        if number % (MANY // 10) == 0:
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    spent = 1000 * (time.process_time() - start) / MANY
    tenths = " ".join(f"{peak:.0f}" for peak in peaks)
    return f"{MANY} articles, {spent:.1f} ms each; most MB held after each tenth: {tenths}"


def report(tallies: Mapping[str, Tally]) -> dict[str, Figures | dict[str, float]]:
    """Return the figures of every system by its name, and how far ours is ahead of the first sentences."""
    figures: dict[str, Figures | dict[str, float]] = {
        name: figures_of(tally) for name, tally in tallies.items()
    }
    return {**figures, "rouge1_over_lead3": advantage(tallies["digest"], tallies["lead3"])}


def table(tallies: Mapping[str, Tally]) -> str:
    """Return the figures to read."""
    lead_of = advantage(tallies["digest"], tallies["lead3"])
    head = f"{'':10}{'ROUGE-1':>9}{'ROUGE-2':>9}{'ROUGE-L':>9}{'ms':>8}{'words':>8}{'alone':>8}"
    rows = [
        f"{name:10}{f['rouge1']:9.2f}{f['rouge2']:9.2f}{f['rougeL']:9.2f}{f['ms_per_article']:8.1f}"
        f"{f['words']:8.1f}{100 - f['cannot_stand_alone']:7.1f}%"
        for name, f in ((name, figures_of(tally)) for name, tally in tallies.items())
    ]
    interval = f"95 %: {lead_of['low']:+.2f} to {lead_of['high']:+.2f}"
    return "\n".join([head, *rows, "", f"digest - lead3: {lead_of['mean']:+.2f} ROUGE-1 ({interval})"])


if __name__ == "__main__":
    sys.exit(main())
