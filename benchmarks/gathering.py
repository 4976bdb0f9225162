"""The process that `benchmarks.gather` measures: it imports what gathers, and nothing else."""

from __future__ import annotations

import asyncio
import resource
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

import digest.store.newsletters  # noqa: F401 (the table that foreign keys name)
from benchmarks.farm import Farm
from benchmarks.farm_sites import NOW, WINDOW
from digest.domain.newsletters import NewsletterId
from digest.gather.fetching.hosts import StoredHosts
from digest.gather.fetching.http import HttpFetcher
from digest.gather.fetching.polite import PoliteFetcher
from digest.gather.parsing import starter
from digest.gather.parsing.pool import Parsers
from digest.gather.polled import Polled
from digest.gather.steps import Patience, gather, tie_stories
from digest.logs import set_up_logs
from digest.store.database import open_engine, reading
from digest.store.sources import active_sources


@dataclass(frozen=True, slots=True)
class Spent:
    """What one poll cost in the gathering process, and what it said of each source."""

    seconds: float
    cpu_seconds: float
    children_cpu_seconds: float
    sockets_left: int
    polls: tuple[Polled, ...]


def serve(descriptor: int) -> None:
    """Gather once for every word that comes over the connection, minutes later each time, until it closes.

    The first says what: the database's URL, the newsletter and the farm.
    """
    report: Connection[Any, Any] = Connection(descriptor)
    set_up_logs(level="error", as_json=False)
    database_url, newsletter_id, farm = report.recv()
    engine = open_engine(database_url)
    now = NOW
    report.send("ready")
    with suppress(EOFError):
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
    seconds = time.perf_counter() - start
    starter.close_all()  # the time of what it forked is counted when it has ended
    return Spent(
        seconds,
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
