"""Gathering from a thousand hosts, one in ten hostile: what comes in, how soon, and in how much memory.

    python -m benchmarks.gather [--sources 1000] [--articles 10] [--hostile 0.1] [--sitemaps] [--json]
                                [--database sqlite|postgresql]

The farm and the gathering are processes of their own on this machine. The farm says which articles a good
reader brings in: `articles` counts those that are stored, `missed` those that are not, `wrong` what is
stored and should not be. The second poll comes four minutes later, when sources that failed are left alone.
Memory is the most that the gathering process and its children held together in both polls, pages they share
counted once. Beside it stands feedparser with trafilatura alone, one page after the other
(`benchmarks/naive_gather.py`), on a sample of the good sites.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import Pipe
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, select

from benchmarks.deliver import database
from benchmarks.farm import Farm, Size, running_farm
from benchmarks.farm_faults import FAULTS
from benchmarks.farm_sites import NOW, Site
from benchmarks.gathering import Spent
from benchmarks.memory import peak_mb
from benchmarks.naive_gather import naive_seconds
from benchmarks.telling import arguments, figures_table, tell
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.store.articles import ArticleRow
from digest.store.database import open_engine, reading, writing
from digest.store.newsletters import add_newsletter
from digest.store.schema import migrate
from digest.store.sources import NewSource, add_sources

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
            second, memory_again = gathering.poll()
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
        peak_mb=round(max(memory, memory_again), 1),
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
    """The gathering process, started afresh: `multiprocessing` would have it import this program too."""

    def __init__(self, database_url: str, newsletter_id: NewsletterId, farm: Farm) -> None:
        self._arguments = (database_url, newsletter_id, farm)

    def __enter__(self) -> _Gathering:
        self._ours, theirs = Pipe()
        program = f"from benchmarks.gathering import serve; serve({theirs.fileno()})"
        self._process = subprocess.Popen([sys.executable, "-c", program], pass_fds=(theirs.fileno(),))
        theirs.close()
        self._ours.send(self._arguments)
        self._ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def poll(self) -> tuple[Spent, float]:
        """Let it gather; return what that cost and the most memory it held."""
        self._ours.send(True)
        memory = peak_mb(self._process.pid, until=lambda: self._ours.poll(0.2))
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


def main() -> None:
    """Print a table, or one JSON object."""
    parser = arguments(__doc__)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--articles", type=int, default=10, help="articles of each source")
    parser.add_argument("--hostile", type=float, default=0.1, help="share of the sources")
    parser.add_argument("--fault", action="append", choices=tuple(FAULTS), help="of the hostile; else all")
    parser.add_argument("--sitemaps", action="store_true", help="one source in ten is a sitemap")
    parser.add_argument("--explain", action="store_true", help="say on stderr what was missed, and of whom")
    options = parser.parse_args()
    faults = tuple(options.fault or FAULTS)
    size = Size(options.sources, options.articles, options.hostile, faults, options.sitemaps)
    figures = measure(size, kind=options.database, explain=options.explain)
    table = figures_table(f"Gathering from {figures.sources:,} sources", figures)
    tell(figures, table, as_json=options.json)


if __name__ == "__main__":
    main()
