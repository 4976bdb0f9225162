"""Score extraction against what people marked: `python -m benchmarks.extract FOLDER`.

FOLDER holds pages `NAME.html` with the article's text `NAME.txt`, the page's address `NAME.url` where it is
known, and what its head should say in `NAME.json` or one `gold.json` (`{NAME: {"title", "authors": […],
"date", "image"}}`) where somebody noted it. Beside ours stands trafilatura alone, as it is and with
`favor_precision`. Text: precision and recall of sequences of four words, meaned over pages, and their
harmonic mean. `ms` is CPU time a page, the best of the rounds, the systems taking turns.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import TypedDict

from trafilatura import bare_extraction
from trafilatura.settings import Document

from benchmarks.pages import (
    BadFolder,
    Page,
    Shares,
    author_f1,
    read_pages,
    same_picture,
    same_title,
    shingle_shares,
)
from digest.gather.pages.extract import read_page

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a system made of a page; `date` is an ISO day, '' and None where it gave nothing."""

    text: str = ""
    title: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""
    image: str | None = None


@dataclass(slots=True)
class Tally:
    """What one system did, an entry a page; the lists about heads have one for pages with notes only."""

    text: list[Shares] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    titles: list[float] = field(default_factory=list)
    authors: list[float] = field(default_factory=list)
    dates: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)


class Figures(TypedDict):
    """What is printed for a system: shares of 1, milliseconds; None for what nobody noted."""

    precision: float
    recall: float
    f1: float
    title: float | None
    authors: float | None
    date: float | None
    image: float | None
    ms_per_page: float


System = Callable[[Page], Extracted]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return 0, or 2 when the folder cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract", description=__doc__)
    parser.add_argument("folder", type=Path, help="pages with their gold texts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often each is timed ({ROUNDS})")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="name our N worst pages too")
    options = parser.parse_args(arguments)
    # It reports every page it gives up on.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        pages = read_pages(options.folder)
    except BadFolder as exc:
        print(f"benchmarks.extract: {exc}", file=sys.stderr)
        return 2
    tallies = measure(pages, rounds=max(1, options.rounds))
    figures = {name: figures_of(tally) for name, tally in tallies.items()}
    ratio = round(figures["digest"]["ms_per_page"] / figures["trafilatura"]["ms_per_page"], 2)
    noted = sum(page.about is not None for page in pages)
    worst = _worst(pages, tallies["digest"])[: options.worst]
    if options.json:
        print(json.dumps({"pages": len(pages), "noted": noted, **figures, "time_ratio": ratio}))
    else:
        print(_table(figures, ratio, len(pages), noted))
        print("".join(f"\n{name}: precision {p:.3f}, recall {r:.3f}" for name, p, r in worst))
    return 0


def digest(page: Page) -> Extracted:
    """Extract as Digest does."""
    article = read_page(page.html, url=page.url, now=datetime.now(UTC))
    return Extracted(
        text=article.text,
        title=article.title,
        authors=tuple(article.byline.split(", ")) if article.byline else (),
        date=f"{article.published_at:%Y-%m-%d}" if article.published_at else "",
        image=article.image.url if article.image else None,
    )


def trafilatura(page: Page, *, favor_precision: bool = False) -> Extracted:
    """Extract as trafilatura does by itself, with its metadata."""
    found = bare_extraction(
        page.html,
        url=page.url,
        include_comments=False,
        with_metadata=True,
        favor_precision=favor_precision,
    )
    if not isinstance(found, Document):
        return Extracted()
    return Extracted(
        text=found.text or "",
        title=found.title or "",
        authors=tuple((found.author or "").split("; ")) if found.author else (),
        date=(found.date or "")[:10],
        image=found.image,
    )


def trafilatura_precise(page: Page) -> Extracted:
    """Extract as trafilatura does when it is asked to leave out what it doubts."""
    return trafilatura(page, favor_precision=True)


SYSTEMS: dict[str, System] = {
    "digest": digest,
    "trafilatura": trafilatura,
    "trafilatura_precise": trafilatura_precise,
}


def measure(pages: Sequence[Page], *, rounds: int) -> dict[str, Tally]:
    """Run every system over the pages, in turns, so that a busy machine slows all of them alike."""
    tallies = {name: Tally() for name in SYSTEMS}
    for system in SYSTEMS.values():
        system(pages[0])  # models and patterns are loaded once, not by the first page
    for page in pages:
        times: dict[str, list[float]] = {name: [] for name in SYSTEMS}
        for _ in range(rounds):
            for name, system in SYSTEMS.items():
                start = time.process_time()
                found = system(page)
                times[name].append(time.process_time() - start)
                if len(times[name]) == 1:
                    _note(tallies[name], page, found)
        for name, taken in times.items():
            tallies[name].seconds.append(min(taken))
    return tallies


def _note(tally: Tally, page: Page, found: Extracted) -> None:
    tally.text.append(shingle_shares(found.text, page.text))
    if page.about is not None:
        tally.titles.append(same_title(found.title, page.about.title))
        tally.authors.append(author_f1(list(found.authors), page.about.authors))
        tally.dates.append(found.date in page.about.dates)
        tally.images.append(same_picture(found.image, page.about.image))


def figures_of(tally: Tally) -> Figures:
    """Return the means of a tally."""
    precision = fmean(shares.precision for shares in tally.text)
    recall = fmean(shares.recall for shares in tally.text)
    return Figures(
        precision=round(precision, 4),
        recall=round(recall, 4),
        f1=round(2 * precision * recall / (precision + recall), 4) if precision + recall else 0.0,
        title=_mean(tally.titles),
        authors=_mean(tally.authors),
        date=_mean(tally.dates),
        image=_mean(tally.images),
        ms_per_page=round(1000 * fmean(tally.seconds), 2),
    )


def _mean(shares: Sequence[float]) -> float | None:
    return round(fmean(shares), 4) if shares else None


def _worst(pages: Sequence[Page], tally: Tally) -> list[tuple[str, float, float]]:
    scored = zip(pages, tally.text, strict=True)
    rows = [(page.name, shares.precision, shares.recall) for page, shares in scored]
    return sorted(rows, key=lambda row: row[1] + row[2])


def _table(figures: dict[str, Figures], ratio: float, pages: int, noted: int) -> str:
    names = list(Figures.__annotations__)[:-1]
    head = f"{'':20}" + "".join(f"{name:>11}" for name in names) + f"{'ms':>9}"
    rows = [
        f"{system:20}" + "".join(map(_cell, list(found.values())[:-1])) + f"{found['ms_per_page']:9.1f}"
        for system, found in figures.items()
    ]
    counted = f"{pages} pages, {noted} with notes on their heads"
    return "\n".join([head, *rows, "", f"{counted}; digest takes {ratio:.2f} × trafilatura's time"])


def _cell(share: object) -> str:
    return f"{'—':>11}" if share is None else f"{share:11.3f}"


if __name__ == "__main__":
    sys.exit(main())
