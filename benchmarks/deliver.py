"""How fast an issue leaves: claim → splice → SMTP → settled in the database, with an arm for every message.

    python -m benchmarks.deliver --recipients 20000 --topics 20 --articles 30 [--workers 2] [--json]
                                 [--database sqlite|postgresql]

Mail goes to a sink in a process of its own on this machine, which counts it. Beside it stands a naive
sender (`benchmarks/naive.py`) against the same sink, on a sample of the same issue.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.naive import naive_messages_per_s
from benchmarks.readers import Size, sending_issue
from digest.deliver.steps import Pace, send_issue
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.pipeline.personal_mail import mail_for
from digest.runtime import Runtime
from digest.settings import Settings, load_settings
from digest.store.database import open_engine, reading
from digest.store.deliveries import count_deliveries
from digest.store.schema import migrate
from tests.servers.postgres import PostgresServer

NAIVE_SAMPLE = 400


@dataclass(frozen=True, slots=True)
class Figures:
    """What a send came to. CPU is the workers' alone; `peak_mb` is the largest worker's."""

    recipients: int
    workers: int
    database: str
    kb_per_message: float
    messages_per_s: float
    cpu_ms_per_message: float
    peak_mb: float
    naive_messages_per_s: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What one worker used: CPU seconds, and the most memory it held in MB."""

    cpu_s: float
    peak_mb: float


@contextmanager
def sink(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run the sink as a process; give its address and its log."""
    log = folder / "sink.jsonl"
    command = [sys.executable, "-m", "tests.servers.smtp_sink", "--port", "0", "--log", str(log), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"smtp://127.0.0.1:{int(process.stdout.readline())}", log
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty database: a file, or a PostgreSQL server of our own with fsync on."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'digest.db'}"
        return
    server = PostgresServer(durable=True)
    try:
        server.start()
        yield server.url(server.create_database())
    finally:
        server.close()


def work(database_url: str, mail_url: str, issue_id: IssueId, sessions: int, report: Connection) -> None:
    """Send until nothing is left: one worker process. Waits for a word before it starts."""
    runtime = Runtime(_settings(database_url, mail_url))
    write = mail_for(runtime, issue_id)
    report.send("ready")
    report.recv()
    before = time.process_time()
    asyncio.run(
        send_issue(
            runtime.engine,
            issue_id,
            transport=runtime.transport,
            mail_for=write,
            owner=runtime.owner,
            clock=runtime.clock,
            pace=Pace(sessions=sessions),
        )
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report.send(Spent(time.process_time() - before, peak))


def _settings(database_url: str, mail_url: str) -> Settings:
    return load_settings(
        database_url=database_url,
        mail_url=mail_url,
        secret_key="a key for benchmarks, as long as a real one",
        log_level="error",
    )


def measure(size: Size, *, kind: str, workers: int, sessions: int) -> Figures:
    """Send one issue and return the figures. Raises `AssertionError` when a mail is missing or doubled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="digest-bench-")))
        mail_url, log = stack.enter_context(sink(folder))
        database_url = stack.enter_context(database(kind, folder))
        engine = open_engine(database_url)
        stack.callback(engine.dispose)
        migrate(engine)
        issue_id = sending_issue(engine, size)
        seconds, spent = _send(database_url, mail_url, issue_id, workers, sessions)
        with reading(engine) as session:
            accepted = count_deliveries(session, issue_id)[DeliveryState.ACCEPTED]
        received = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        recipients = {entry["recipients"][0] for entry in received}
        assert accepted == size.readers == len(received) == len(recipients), "a mail is missing or doubled"
        naive = naive_messages_per_s(mail_url, min(NAIVE_SAMPLE, size.readers), size, workers=workers)
    return Figures(
        recipients=size.readers,
        workers=workers,
        database=kind,
        kb_per_message=round(sum(entry["octets"] for entry in received) / len(received) / 1000, 1),
        messages_per_s=round(size.readers / seconds, 1),
        cpu_ms_per_message=round(sum(one.cpu_s for one in spent) * 1000 / size.readers, 3),
        peak_mb=round(max(one.peak_mb for one in spent), 1),
        naive_messages_per_s=round(naive, 1),
    )


def _send(
    database_url: str, mail_url: str, issue_id: IssueId, workers: int, sessions: int
) -> tuple[float, list[Spent]]:
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in range(workers)]
    processes = [
        context.Process(target=work, args=(database_url, mail_url, issue_id, sessions, theirs))
        for _, theirs in pipes
    ]
    for process in processes:
        process.start()
    for ours, _ in pipes:
        ours.recv()
    start = time.perf_counter()
    for ours, _ in pipes:
        ours.send("go")
    spent = [ours.recv() for ours, _ in pipes]
    seconds = time.perf_counter() - start
    for process in processes:
        process.join()
    return seconds, spent


def table_of(figures: Figures) -> Table:
    """Return the figures for people."""
    table = Table(title=f"An issue to {figures.recipients:,} readers", box=SIMPLE, show_header=False)
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
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--topics", type=int, default=20)
    parser.add_argument("--articles", type=int, default=30)
    parser.add_argument("--follows", type=int, default=5, help="topics each reader follows")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sessions", type=int, default=20, help="conversations of each worker")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true", help="one object, for programs")
    options = parser.parse_args()
    size = Size(options.recipients, options.topics, options.articles, options.follows)
    figures = measure(size, kind=options.database, workers=options.workers, sessions=options.sessions)
    if options.json:
        print(json.dumps(asdict(figures)))
    else:
        Console().print(table_of(figures))


if __name__ == "__main__":
    main()
