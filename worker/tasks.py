"""Tasks hand ids to the stages. Each may run twice, at once or never: the database decides what is due."""

from __future__ import annotations

from functools import lru_cache

from digest.domain.issues import IssueId
from digest.domain.schedules import OccurrenceId
from digest.pipeline.scheduled import advance as advance_occurrence
from digest.pipeline.scheduled import due_occurrences
from digest.pipeline.sending import open_issues, send_for_a_while
from digest.runtime import Runtime, open_runtime
from worker.app import HINT_SECONDS, app
from worker.stopping import stopping


@lru_cache(maxsize=1)
def runtime() -> Runtime:
    """Return this process's runtime. Made by its first task, so after the fork: no two share a connection."""
    return open_runtime()


@app.task
def tick() -> None:
    """Record what has come due, and ring for every run that nobody is at."""
    for occurrence_id in due_occurrences(runtime()):
        advance.apply_async((occurrence_id,), expires=HINT_SECONDS)


@app.task
def advance(occurrence_id: int) -> None:
    """Do the next stage of a scheduled run, then ring for what can follow."""
    if advance_occurrence(runtime(), OccurrenceId(occurrence_id)):
        advance.apply_async((occurrence_id,), expires=HINT_SECONDS)
    else:
        sweep.apply_async(expires=HINT_SECONDS)


@app.task
def sweep() -> None:
    """Take back what dead workers held, and ring for every issue that is to be sent."""
    for issue_id in open_issues(runtime()):
        send.apply_async((issue_id,), expires=HINT_SECONDS)


@app.task
def send(issue_id: int) -> None:
    """Send an issue for most of a minute, or until this worker is told to stop."""
    send_for_a_while(runtime(), IssueId(issue_id), should_stop=stopping.is_set)
