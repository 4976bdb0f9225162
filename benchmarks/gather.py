"""Gathering from a thousand hosts, one in ten hostile: what comes in, how soon, and in how much memory.

    python -m benchmarks.gather [--sources 1000] [--articles 10] [--hostile 0.1] [--sitemaps] [--json]
                                [--database sqlite|postgresql]

The farm and the gathering are processes of their own on this machine. The farm says which articles a good
reader brings in: `articles` counts those that are stored, `missed` those that are not, `wrong` what is
stored and should not be. The second poll comes four minutes later, when sources that failed are left alone.
Memory is what the gathering process and its children hold together, pages they share counted once. Beside it
stands feedparser with trafilatura alone, one page after the other (`benchmarks/naive_gather.py`), on a sample
of the good sites.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, select

from benchmarks.deliver import database
from benchmarks.farm import Farm, Size, running_farm
from benchmarks.farm_faults import FAULTS
from benchmarks.farm_sites import NOW, WINDOW, Site
from benchmarks.memory import peak_mb
from benchmarks.naive_gather import naive_seconds
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.gather.fetching.fetch import HttpFetcher
from digest.gather.fetching.hosts import StoredHosts
from digest.gather.fetching.polite import PoliteFetcher
from digest.gather.parsing.pool import Parsers
from digest.gather.polled import Polled
from digest.gather.steps import Patience, gather, tie_stories
from digest.logs import set_up_logs
from digest.store.articles import ArticleRow
from digest.store.database import open_engine, reading, writing
from digest.store.newsletters import add_newsletter
from digest.store.schema import migrate
from digest.store.sources import NewSource, active_sources, add_sources

NAIVE_SAMPLE = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """What two polls came to.

    CPU seconds are of the first poll. `inward` counts requests that reached the loopback itself, `forbidden`
    those that robots.txt forbids, `most_at_once` connections to one host. `naive_seconds` is extrapolated
    from a sample of good sites to as many as there are.
    """

    sources: int
    hostile: int
    database: str
    articles: int
    missed: int
    wrong: int
    seconds: float
    peak_mb: float
    cpu_seconds: float
    children_cpu_seconds: float
    farm_cpu_seconds: float
    requests: int
    megabytes: float
    second_poll_seconds: float
    second_poll_requests: int
    second_poll_bytes_share: float
    second_poll_new: int
    inward: int
    forbidden: int
    most_at_once: int
    sockets_left: int
    naive_seconds: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What one poll cost in the gathering process, and what it said of each source."""

    seconds: float
    cpu_seconds: float
    children_cpu_seconds: float
    sockets_left: int
    polls: tuple[Polled, ...]


def work(database_url: str, newsletter_id: NewsletterId, farm: Farm, report: Connection) -> None:
    """Gather once for every word that comes, minutes later each time: the gathering process."""
    set_up_logs(level="error", as_json=False)
    engine = open_engine(database_url)
    now = NOW
    report.send("ready")
    while report.recv():
        report.send(asyncio.run(_gathered(engine, newsletter_id, farm, now)))
        now += timedelta(minutes=4)


async def _gathered(engine: Engine, newsletter_id: NewsletterId, farm: Farm, now: datetime) -> Spent:
    start, cpu, children = time.perf_counter(), time.process_time(), _children_cpu()
    with reading(engine) as session:
        sources = active_sources(session, newsletter_id)
    fetcher = HttpFetcher(contact="http://localhost/about", allow=farm.allow, resolver=farm.resolve)
    async with fetcher, Parsers() as parsers:
        polls = await gather(
            engine,
            sources,
            since={newsletter_id: WINDOW.start},
            fetcher=PoliteFetcher(fetcher, memory=StoredHosts(engine), clock=lambda: now),
            parse=parsers.call,
            now=now,
            patience=Patience(run=600.0),
            retry=False,
        )
    if any(poll.new for poll in polls):
        tie_stories(engine, newsletter_id, WINDOW.start, now)
    return Spent(
        time.perf_counter() - start,
        time.process_time() - cpu,
        _children_cpu() - children,
        _open_sockets(farm.port),
        polls,
    )


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _open_sockets(port: int) -> int:
    """Return how many connections to the farm this process still holds."""
    links = (link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    mine = {str(link)[8:-1] for link in links if str(link).startswith("socket:")}
    connections = (line.split() for line in Path("/proc/self/net/tcp").read_text("ascii").splitlines()[1:])
    return sum(fields[9] in mine and fields[2].endswith(f":{port:04X}") for fields in connections)


def measure(size: Size, *, kind: str = "sqlite", explain: bool = False) -> Figures:
    """Gather twice from a farm and return the figures. `explain` says on stderr what went wrong."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        farm = stack.enter_context(running_farm(size))
        database_url = stack.enter_context(database(kind, folder))
        engine = open_engine(database_url)
        stack.callback(engine.dispose)
        migrate(engine)
        newsletter_id = _newsletter(engine, farm.sites)
        with _Gathering(database_url, newsletter_id, farm) as gathering:
            first, memory = gathering.poll()
            sent = farm.stats()
            stored = _stored(engine, newsletter_id)
            farm.next_poll()
            second, _ = gathering.poll()
            again = farm.stats()
        newer = _stored(engine, newsletter_id) - stored
        naive = naive_seconds([site for site in farm.sites if not site.fault][:NAIVE_SAMPLE])
    missed, wrong = farm.expected() - stored, stored - farm.permitted()
    if explain:
        _explain(farm, missed, wrong, first, second)
    return Figures(
        sources=size.sources,
        hostile=sum(bool(site.fault) for site in farm.sites),
        database=kind,
        articles=len(stored & farm.expected()),
        missed=len(missed),
        wrong=len(wrong),
        seconds=round(first.seconds, 1),
        peak_mb=round(memory, 1),
        cpu_seconds=round(first.cpu_seconds, 1),
        children_cpu_seconds=round(first.children_cpu_seconds, 1),
        farm_cpu_seconds=sent["cpu_seconds"],
        requests=sent["requests"],
        megabytes=round(sent["bytes_sent"] / 1e6, 2),
        second_poll_seconds=round(second.seconds, 1),
        second_poll_requests=again["requests"],
        second_poll_bytes_share=round(again["bytes_sent"] / sent["bytes_sent"], 4),
        second_poll_new=len(newer),
        inward=sent["inward"] + again["inward"],
        forbidden=sent["forbidden"] + again["forbidden"],
        most_at_once=again["most_at_once"],
        sockets_left=second.sockets_left,
        naive_seconds=round(naive * sum(not site.fault for site in farm.sites), 1),
    )


class _Gathering:
    """The gathering process, started afresh."""

    def __init__(self, *arguments: object) -> None:
        context = get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(*arguments, theirs))

    def __enter__(self) -> _Gathering:
        self._process.start()
        self._ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._ours.send(False)
        self._process.join(10)
        self._process.kill()

    def poll(self) -> tuple[Spent, float]:
        """Let it gather; return what that cost and the most memory it held."""
        self._ours.send(True)
        memory = peak_mb(self._process.pid or 0, until=lambda: self._ours.poll(0.2))
        spent: Spent = self._ours.recv()
        return spent, memory


def _newsletter(engine: Engine, sites: list[Site]) -> NewsletterId:
    newsletter = Newsletter(
        id=NewsletterId(0),
        slug="measured",
        name="The Measured Week",
        sender_name="The Measured Week",
        sender_email="desk@news.example.org",
        postal_address="1 Loopback Lane, Testville",
    )
    with writing(engine) as session:
        newsletter = add_newsletter(session, newsletter, now=NOW)
        sources = [NewSource(site.host, site.origin + site.path, site.kind) for site in sites]
        add_sources(session, newsletter.id, sources, now=NOW)
    return newsletter.id


def _stored(engine: Engine, newsletter_id: NewsletterId) -> set[str]:
    with reading(engine) as session:
        return set(session.scalars(select(ArticleRow.url).where(ArticleRow.newsletter_id == newsletter_id)))


def _explain(farm: Farm, missed: set[str], wrong: set[str], first: Spent, second: Spent) -> None:
    """Tell by fault what was missed and wrong, and what was said of each hostile host."""
    fault_at = {site.host: f"{site.fault or 'good'} ({site.format})" for site in farm.sites}
    for name, urls in (("missed", missed), ("wrong", wrong)):
        print(name, Counter(fault_at[url.split("/")[2].partition(":")[0]] for url in urls), file=sys.stderr)
    for number, spent in enumerate((first, second), 1):
        for poll in spent.polls:
            said = poll.error or "; ".join(poll.problems[:1])
            if said:
                print(f"poll {number}: {fault_at[poll.source]}: {said[:300]}", file=sys.stderr)


def table_of(figures: Figures) -> Table:
    """Return the figures for people."""
    table = Table(title=f"Gathering from {figures.sources:,} sources", box=SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in asdict(figures).items():
        table.add_row(name.replace("_", " "), value if isinstance(value, str) else f"{value:,}")
    return table


def main() -> None:
    """Print a table, or one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--articles", type=int, default=10, help="articles of each source")
    parser.add_argument("--hostile", type=float, default=0.1, help="share of the sources")
    parser.add_argument("--fault", action="append", choices=tuple(FAULTS), help="of the hostile; else all")
    parser.add_argument("--sitemaps", action="store_true", help="one source in ten is a sitemap")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--explain", action="store_true", help="say on stderr what was missed, and of whom")
    parser.add_argument("--json", action="store_true", help="one object, for programs")
    options = parser.parse_args()
    faults = tuple(options.fault or FAULTS)
    size = Size(options.sources, options.articles, options.hostile, faults, options.sitemaps)
    figures = measure(size, kind=options.database, explain=options.explain)
    if options.json:
        print(json.dumps(asdict(figures)))
    else:
        Console().print(table_of(figures))


if __name__ == "__main__":
    main()
