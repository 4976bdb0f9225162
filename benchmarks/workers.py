"""Processes that send side by side: begun together once all are ready, so that only the sending is timed.

Apart from the programs that measure, so that a process holds what a worker needs and nothing more.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from digest.deliver.steps import Pace, send_issue
from digest.domain.issues import IssueId
from digest.pipeline.personal_mail import mail_for
from digest.runtime import Runtime
from digest.settings import Settings, load_settings

Prepared = Callable[[], None]
Prepare = Callable[..., Prepared]
"""Get everything ready from some arguments; what it returns does the work."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one worker used: CPU seconds for the work alone, and the most memory it held in MB."""

    cpu_s: float
    peak_mb: float


def side_by_side(prepare: Prepare, arguments: Sequence[tuple[object, ...]]) -> tuple[float, list[Spent]]:
    """Run a process for each of `arguments`; return the seconds from their common start to the last end."""
    context = get_context("spawn")
    pipes = [context.Pipe() for _ in arguments]
    processes = [
        context.Process(target=_run, args=(theirs, prepare, given))
        for (_, theirs), given in zip(pipes, arguments, strict=True)
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


def _run(report: Connection, prepare: Prepare, given: tuple[object, ...]) -> None:
    work = prepare(*given)
    report.send("ready")
    report.recv()
    before = time.process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report.send(Spent(time.process_time() - before, peak))


def settings_for(database_url: str, mail_url: str, dkim_key: Path | None = None) -> Settings:
    """Return settings that send to `mail_url`, signed where there is a key."""
    return load_settings(
        database_url=database_url,
        mail_url=mail_url,
        dkim_keys=[f"bench={dkim_key}"] if dkim_key else [],
        secret_key="a key for benchmarks, as long as a real one",
        log_level="error",
    )


def prepare_issue(
    database_url: str, mail_url: str, issue_id: IssueId, sessions: int, dkim_key: Path | None
) -> Prepared:
    """Get ready to send what is due of an issue, as one worker of several."""
    runtime = Runtime(settings_for(database_url, mail_url, dkim_key))
    write = mail_for(runtime, issue_id)
    transport = runtime.transport

    def work() -> None:
        sending = send_issue(
            runtime.engine,
            issue_id,
            transport=transport,
            mail_for=write,
            owner=runtime.owner,
            clock=runtime.clock,
            pace=Pace(sessions=sessions),
        )
        asyncio.run(sending)

    return work
