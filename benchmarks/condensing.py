"""Store a week's takeaways, and print what that takes: `python -m benchmarks.condensing`.

Articles of 800 words are read page by page, and what is made of each is recorded in a transaction of its
own, as a run does it, in an SQLite file. Takeaways are the beginnings of the first paragraphs, so that
storing alone is measured: `benchmarks.takeaways` measures the making. Memory is what the process holds
after the first tenth and at the end. Then all are condensed again, which gives the same takeaways and no
new version, and are read as an issue reads them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, func, select

from benchmarks.week import week
from digest.condense.steps import condense_again, condense_with
from digest.domain.articles import (
    Article,
    Block,
    BlockKind,
    Condensed,
    Origin,
    Span,
    Style,
    Takeaway,
)
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.times import Window
from digest.store.articles import ArticleId
from digest.store.condensed import candidates_in
from digest.store.condensings import CondensingRow
from digest.store.database import open_engine, reading, writing
from digest.store.newsletters import add_newsletter
from digest.store.recording import record_article
from digest.store.schema import migrate
from digest.store.sources import NewSource, add_sources, get_source

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(days=14), NOW)
WORDS, MODELS = 800, 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.condensing", description=__doc__)
    parser.add_argument("--articles", type=int, default=1_000, help="how many (1,000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'week.db'}")
        migrate(engine)
        figures = measure(engine, stored(engine, options.articles), options.articles)
        engine.dispose()
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:24}{value:>12,.1f}" for name, value in figures.items()))
    return 0


def stored(engine: Engine, articles: int) -> Newsletter:
    """Store a newsletter and its articles, a hundred different ones with a sentence of their own each."""
    newsletter = Newsletter(NewsletterId(0), "week", "Week", "Week", "desk@example.org", "1 Quay Street")
    with writing(engine) as session:
        newsletter = add_newsletter(session, newsletter, now=NOW)
        add_sources(session, newsletter.id, [NewSource("Feed", "https://feed.example.org/")], now=NOW)
        source = get_source(session, newsletter.id, "Feed")
    models = week(MODELS, words=WORDS)
    for number in range(articles):
        model = models[number % MODELS]
        own = Block(BlockKind.PARAGRAPH, f"The council of ward {number} voted on it on Monday evening.")
        article = replace(
            model,
            url=f"https://example.org/{number}",
            title=f"{model.title} {number}",
            blocks=(*model.blocks, own),
        )
        with writing(engine) as session:
            record_article(session, newsletter.id, source.id, article, now=NOW)
    return newsletter


def measure(engine: Engine, newsletter: Newsletter, articles: int) -> dict[str, float]:
    """Return seconds, milliseconds and MB by what they are of."""
    held: list[float] = []
    first = _seconds(engine, newsletter, on_condensed=lambda: held.append(_mb()))
    condense_again(engine, newsletter, since=WINDOW.start)
    again = _seconds(engine, newsletter)
    with reading(engine) as session:
        versions = session.scalar(select(func.count()).select_from(CondensingRow)) or 0
        start = time.perf_counter()
        found = len(candidates_in(session, newsletter.id, WINDOW))
        read = time.perf_counter() - start
    assert found == articles
    return {
        "articles": articles,
        "seconds": first,
        "ms_per_article": 1000 * first / articles,
        "ms_per_article_again": 1000 * again / articles,
        "versions": versions,
        "read_ms_per_article": 1000 * read / articles,
        "mb_after_a_tenth": held[articles // 10],
        "mb_at_the_end": held[-1],
        "mb_peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


class Beginnings:
    """Makes takeaways of how paragraphs begin, in no time."""

    async def condense(
        self,
        article: Article,
        *,
        count: int,
        max_words: int,  # noqa: ARG002
        style: Style,  # noqa: ARG002
        article_id: ArticleId,  # noqa: ARG002
    ) -> Condensed:
        """Return them."""
        begin = [place.start for place, _ in islice(article.located_blocks(), count)]
        places = [Span(start, start + 150) for start in begin]
        text = article.text
        return Condensed(
            tuple(Takeaway(text[at.start : at.end], Origin.LLM, (at,), "model", "prompt") for at in places)
        )


def _seconds(
    engine: Engine, newsletter: Newsletter, on_condensed: Callable[[], None] = lambda: None
) -> float:
    start = time.perf_counter()
    run = condense_with(engine, newsletter, Beginnings(), at_once=1, now=NOW, on_condensed=on_condensed)
    asyncio.run(run)
    return time.perf_counter() - start


def _mb() -> float:
    """Return what this process holds now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1_048_576


if __name__ == "__main__":
    raise SystemExit(main())
