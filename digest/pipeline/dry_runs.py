"""Dry runs as jobs: asked for on a page or over the API, done by a worker, kept with what they found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from digest.domain.dry_runs import DryRun, DryRunId, Found
from digest.domain.errors import Conflict, DigestError
from digest.domain.schedules import Stage
from digest.pipeline.dry_run_report import try_run
from digest.pipeline.watch import Unwatched
from digest.runtime import Runtime
from digest.schedule.steps import window_of
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.dry_runs import (
    add_dry_run,
    claim_dry_run,
    end_dry_run,
    find_open,
    give_dry_run_back,
    pending_dry_runs,
)
from digest.store.newsletters import newsletter_by_id
from digest.store.schedules import get_schedule

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=10)
"""Longer than any dry run takes: hundreds of sources that answer slowly are waited for, and a language model
is not asked. One whose worker died is taken up again then."""

ATTEMPTS = 3


def ask_dry_run(runtime: Runtime, schedule_id: int, *, by: str) -> DryRun:
    """Ask for a dry run of the days that a run of this schedule would cover now; a worker does it.

    Raises `NotFound`, and `Conflict` while another of the newsletter is not over.
    """
    now = runtime.clock()
    with writing(runtime.engine) as session:
        schedule = get_schedule(session, schedule_id)
        newsletter = newsletter_by_id(session, schedule.newsletter_id)
        if known := find_open(session, newsletter.id):
            raise Conflict(f"dry run {known.id} of {newsletter.name} is under way: wait for what it finds")
        asked = add_dry_run(session, schedule, window_of(schedule, now), by=by, now=now)
        about = f"dry run {asked.id} of {newsletter.slug}"
        record(session, by=by, what="dry_run.asked", about=about, now=now)
    log.info("dry_run.asked", dry_run=asked.id, schedule=schedule_id, by=by)
    return asked


def dry_runs_due(runtime: Runtime) -> tuple[DryRunId, ...]:
    """Return the dry runs that no worker is at."""
    with reading(runtime.engine) as session:
        return pending_dry_runs(session, now=runtime.clock())


class _Stopped(Exception):
    """The worker is told to stop."""


class _Until(Unwatched):
    """Ends a dry run between two stages."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop

    def begin(self, stage: Stage, total: int | None = None) -> None:  # noqa: ARG002
        """Raise `_Stopped` once the worker is to stop."""
        if self._should_stop():
            raise _Stopped(stage)


def do_dry_runs(runtime: Runtime, *, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Do the dry run that waits longest, and keep what it found or why it found nothing.

    One task does one, as it may take minutes: whoever asked for the next is rung for again.
    """
    due = dry_runs_due(runtime)
    if due:
        _do(runtime, due[0], should_stop)


def _do(runtime: Runtime, number: DryRunId, should_stop: Callable[[], bool]) -> None:
    now = runtime.clock()
    lease_until = now + LEASE
    with writing(runtime.engine) as session:
        claimed = claim_dry_run(session, number, now=now, lease_until=lease_until)
    if claimed is None:
        return
    asked, attempts = claimed
    if attempts > ATTEMPTS:
        problem = f"it was begun {ATTEMPTS} times and never ended: the log of the workers says why"
        _end(runtime, asked, None, problem)
        return
    with reading(runtime.engine) as session:
        newsletter = newsletter_by_id(session, asked.newsletter_id)
    try:
        found = try_run(runtime, newsletter, asked.window, watch=_Until(should_stop))
    except _Stopped:
        with writing(runtime.engine) as session:
            give_dry_run_back(session, asked.id, lease_until=lease_until)
        return
    except DigestError as exc:
        _end(runtime, asked, None, str(exc))
        return
    _end(runtime, asked, found)


def _end(runtime: Runtime, asked: DryRun, found: Found | None, problem: str = "") -> None:
    now: datetime = runtime.clock()
    with writing(runtime.engine) as session:
        end_dry_run(session, asked.id, found=found, problem=problem, now=now)
    log.info("dry_run.ended", dry_run=asked.id, problem=problem)
