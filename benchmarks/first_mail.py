"""How soon the first mail leaves after an approval, by Digest's own services on this machine.

    python -m benchmarks.first_mail [--readers 1000] [--approvals 10] [--database sqlite|postgresql] [--json]

On SQLite `digest up` sends; on PostgreSQL a worker and a beat with a Redis between them. Each approval comes
at a moment of its own between two sweeps. Timed from the commit that approves the issue to the first mail at
the mail server: the wait for a sweep, addressing, the mail, and the conversation that carries it.
"""

from __future__ import annotations

import json
import random
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from statistics import median

from rich.console import Console

from benchmarks.faults.field import SQLITE, Field, Servers
from benchmarks.faults.processes import import_first
from benchmarks.faults.stack import Stack
from benchmarks.telling import arguments
from tests.waiting import wait_until

SPREAD = 5.0
"""Seconds over which approvals are spread after a start: longer than from one sweep to the next."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds from approval to the first mail, over so many approvals."""

    readers: int
    approvals: int
    database: str
    median_s: float
    most_s: float


def measure(readers: int, approvals: int, *, kind: str) -> Figures:
    """Approve issues one after the other, each with services of its own that have nothing else to do."""
    import_first(services=True)
    drawn = random.Random(readers)
    with closing(Servers()) as servers:
        waits = [_wait(servers, kind, readers, drawn) for _ in range(approvals)]
    return Figures(readers, approvals, kind, round(median(waits), 2), round(max(waits), 2))


def _wait(servers: Servers, kind: str, readers: int, drawn: random.Random) -> float:
    with Field(servers, kind, drawn.randrange(1_000_000)) as field:
        stack = Stack(field, embedded=True)
        stack.worker()
        if kind != SQLITE:
            stack.beat()
        time.sleep(drawn.uniform(0, SPREAD))
        field.approve(readers)
        since = time.monotonic()
        wait_until(lambda: field.sink.count() > 0, seconds=120, why=field.said)
        return time.monotonic() - since


def main() -> None:
    """Print a line, or one JSON object."""
    parser = arguments(__doc__)
    parser.add_argument("--readers", type=int, default=1_000)
    parser.add_argument("--approvals", type=int, default=10)
    options = parser.parse_args()
    if min(options.readers, options.approvals) < 1:
        parser.error("--readers and --approvals: at least 1")
    figures = measure(options.readers, options.approvals, kind=options.database)
    if options.json:
        print(json.dumps(asdict(figures)))
    else:
        Console().print(
            f"{figures.database}, {figures.readers:,} readers, {figures.approvals} approvals: "
            f"first mail after {figures.median_s} s (median), {figures.most_s} s at most",
            soft_wrap=True,
        )


if __name__ == "__main__":
    main()
