"""What grounding catches of what is corrupted, and refuses wrongly: `python -m benchmarks.grounding`.

The reports and takeaways are in `benchmarks/data/grounding`: invented, in eight languages, each takeaway
labelled "true" or by what was corrupted in it. Rules and word lists were written with `dev` at hand, then
with `seen`, then, a little, with `held_out`: docs/quality.md has what the last two gave at first sight.
`naive` is a check that every number and every word with a capital occurs anywhere in the article.
`--misses` prints what was misjudged.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from digest.condense.grounding import ground
from digest.domain.articles import Article, Block, BlockKind

DATA = Path(__file__).parent / "data" / "grounding"
SETS = ("dev", "seen", "held_out")
TRUE = "true"
KINDS = (TRUE, "number", "name", "negation", "direction", "roles", "quote", "invented")

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CAPITAL = re.compile(r"[^\W\d_]+")

Check = Callable[[str, Article], tuple[str, ...]]
"""Returns what is wrong with a takeaway; nothing when it is believed."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A takeaway of an article, and whether it is true or in which way it was corrupted."""

    article: Article
    text: str
    kind: str


@dataclass(slots=True)
class Tally:
    """Of each kind, how many there are and how many a check refused; seconds of CPU; what it misjudged."""

    total: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    misses: list[tuple[Labelled, tuple[str, ...]]] = field(default_factory=list)


class Figures(TypedDict):
    """What is printed of one check on one set: `[refused, total]` of each kind, milliseconds a takeaway."""

    refused: dict[str, list[int]]
    ms_per_takeaway: float


def read_labelled(folder: Path) -> Iterator[Labelled]:
    """Yield the labelled takeaways of a set, in the order of its files."""
    for file in sorted(folder.glob("*.toml")):
        for number, raw in enumerate(tomllib.loads(file.read_text(encoding="utf-8"))["article"]):
            paragraphs = raw["text"].strip().split("\n\n")
            article = Article(
                url=f"https://example.org/{folder.name}/{file.stem}/{number}",
                title=raw["title"],
                blocks=tuple(Block(BlockKind.PARAGRAPH, " ".join(text.split())) for text in paragraphs),
                language=file.stem,
            )
            for kind, text in raw["takeaways"]:
                yield Labelled(article, text, kind)


def by_grounding(text: str, article: Article) -> tuple[str, ...]:
    """Check as digest does."""
    return ground(text, article).problems


def naively(text: str, article: Article) -> tuple[str, ...]:
    """Check that every number and every word with a capital but the first is somewhere in the article."""
    said = f"{article.title}\n{article.text}"
    known = {*_NUMBER.findall(said), *_CAPITAL.findall(said)}
    names = [word for word in _CAPITAL.findall(text)[1:] if word[0].isupper()]
    return tuple(word for word in (*_NUMBER.findall(text), *names) if word not in known)


CHECKS: dict[str, Check] = {"digest": by_grounding, "naive": naively}


def tally(labelled: Sequence[Labelled], check: Check) -> Tally:
    """Run a check over a set."""
    found = Tally()
    for one in labelled:
        start = time.process_time()
        problems = check(one.text, one.article)
        found.seconds += time.process_time() - start
        found.total[one.kind] += 1
        found.refused[one.kind] += bool(problems)
        if bool(problems) == (one.kind == TRUE):
            found.misses.append((one, problems))
    return found


def figures_of(found: Tally) -> Figures:
    """Return the figures of a tally."""
    return Figures(
        refused={kind: [found.refused[kind], found.total[kind]] for kind in KINDS},
        ms_per_takeaway=round(1000 * found.seconds / max(1, found.total.total()), 2),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grounding", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--misses", choices=SETS, help="print what was judged wrongly in a set instead")
    options = parser.parse_args(arguments)
    if options.misses:
        print(_misses(tally(list(read_labelled(DATA / options.misses)), by_grounding)))
        return 0
    sets = {name: list(read_labelled(DATA / name)) for name in SETS}
    figures = {
        name: {check: figures_of(tally(labelled, run)) for check, run in CHECKS.items()}
        for name, labelled in sets.items()
    }
    print(json.dumps(figures) if options.json else _table(figures))
    return 0


def _table(figures: dict[str, dict[str, Figures]]) -> str:
    rows = [f"{'refused':18}" + "".join(f"{kind:>11}" for kind in KINDS) + f"{'ms':>7}"]
    for name, checks in figures.items():
        for check, own in checks.items():
            counts = ("/".join(map(str, own["refused"][kind])) for kind in KINDS)
            cells = "".join(f"{count:>11}" for count in counts)
            rows.append(f"{name:10}{check:8}{cells}{own['ms_per_takeaway']:7.2f}")
    return "\n".join(rows)


def _misses(found: Tally) -> str:
    return "\n".join(
        f"[{one.article.language}, {one.kind}] {one.text}\n    {'; '.join(problems) or 'no problem found'}"
        for one, problems in found.misses
    )


if __name__ == "__main__":
    sys.exit(main())
