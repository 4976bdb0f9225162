"""Tasks hand ids to the stages. Each may run twice, at once or never: the database decides what is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

import structlog
from celery import Task
from celery.exceptions import OperationalError

from digest.deliver.steps import due_issues
from digest.domain.issues import IssueId
from digest.domain.schedules import OccurrenceId
from digest.pipeline.announcing import calls_due, make_calls
from digest.pipeline.coming import fill_drafts
from digest.pipeline.dry_runs import do_dry_runs, dry_runs_due
from digest.pipeline.erasing import are_erasures_cut_short, finish_erasures
from digest.pipeline.forgetting import forget_removed_topics, is_anything_to_forget
from digest.pipeline.letters import letters_due, post_letters
from digest.pipeline.managing.segments import count_what_is_due
from digest.pipeline.outlook import work_out_what_is_due
from digest.pipeline.polling import are_sources_due, poll_due
from digest.pipeline.purging import purge as remove_what_is_over
from digest.pipeline.reader_lists import do_lists, lists_due
from digest.pipeline.returns import poll_mailbox
from digest.pipeline.scheduled import advance as advance_occurrence
from digest.pipeline.scheduled import due_occurrences, unattended_runs
from digest.pipeline.sending import open_issues, send_for_a_while
from digest.pipeline.sign_ups import are_sign_ups_waiting, take_in_sign_ups
from digest.pipeline.throttling import look_up_domains
from digest.runtime import Runtime, open_runtime
from digest.track.counting import settle_hits
from digest.track.steps import let_return
from worker.app import HINT_SECONDS, app
from worker.stopping import stopping

log = structlog.get_logger(__name__)


@lru_cache(maxsize=1)
def runtime() -> Runtime:
    """Return this process's runtime. Made by its first task, so after the fork: no two share a connection."""
    return open_runtime()


def ring(task: Task, *ids: int) -> None:
    """Send a hint. One that the broker does not take is not missed for long: the next sweep rings again."""
    try:
        task.apply_async(ids, expires=HINT_SECONDS)
    except OperationalError as exc:
        log.warning("hint.lost", task=task.name, ids=ids, reason=str(exc))


@app.task
def tick() -> None:
    """Record what has come due, end pauses; ring for what nobody is at."""
    let_return(runtime().engine, now=runtime().clock())
    for occurrence_id in due_occurrences(runtime()):
        ring(advance, occurrence_id)
    own = (poll, are_sources_due), (forget, is_anything_to_forget)
    for task, is_due in (*own, (erase, are_erasures_cut_short)):
        if is_due(runtime()):
            ring(task)


@app.task
def poll() -> None:
    """Poll the sources that are due, so that the next issue finds its articles there."""
    poll_due(runtime())


@app.task
def forget() -> None:
    """Forget the follows of topics that many followed and that are removed, for most of a minute."""
    forget_removed_topics(runtime(), should_stop=stopping.is_set)


@app.task
def erase() -> None:
    """Carry out the erasures that were cut short; a tick never waits for them."""
    finish_erasures(runtime(), should_stop=stopping.is_set)


@app.task
def draft() -> None:
    """Fill the drafts of the coming issues with what was gathered since, for most of a minute."""
    fill_drafts(runtime(), should_stop=stopping.is_set)


@app.task
def count_clicks() -> None:
    """Count the links that were followed, once it can be told by whom they were not."""
    kept = timedelta(days=runtime().settings.keep_measured_days)
    settle_hits(runtime().engine, now=runtime().clock(), measured_for=kept)


@app.task
def advance(occurrence_id: int) -> None:
    """Do the next stage of a scheduled run, then ring for what can follow."""
    if advance_occurrence(runtime(), OccurrenceId(occurrence_id)):
        ring(advance, occurrence_id)
    else:
        ring(sweep)


@app.task
def sweep() -> None:
    """Take back what dead workers held, and ring for every run that waits, issue and letter that is due."""
    for occurrence_id in unattended_runs(runtime()):
        ring(advance, occurrence_id)
    waiting = open_issues(runtime())
    for issue_id in due_issues(runtime().engine, waiting, now=runtime().clock(), throttle=runtime().throttle):
        ring(send, issue_id)
    for task, is_due in _waited_for():
        if is_due(runtime()):
            ring(task)


def _waited_for() -> tuple[tuple[Task, Callable[[Runtime], object]], ...]:
    """Return the tasks of which somebody waits for the end, each with what says whether there is anything."""
    own = (take_in, are_sign_ups_waiting), (post, letters_due)
    return *own, (call, calls_due), (try_out, dry_runs_due), (bring_in, lists_due)


@app.task
def send(issue_id: int) -> None:
    """Send an issue for most of a minute, or until this worker is told to stop."""
    send_for_a_while(runtime(), IssueId(issue_id), should_stop=stopping.is_set)


@app.task
def take_in() -> None:
    """Take in the sign-ups that wait, and send the letters that come of them."""
    if take_in_sign_ups(runtime(), should_stop=stopping.is_set):
        ring(post)


@app.task
def post() -> None:
    """Send the letters that are due for most of a minute, or until this worker is told to stop."""
    post_letters(runtime(), should_stop=stopping.is_set)


@app.task
def call() -> None:
    """Tell others' programs what happened, for most of a minute, or until this worker is told to stop."""
    make_calls(runtime(), should_stop=stopping.is_set)


@app.task
def try_out() -> None:
    """Do the dry run that somebody asked for on a page: nothing is written but what it finds."""
    do_dry_runs(runtime(), should_stop=stopping.is_set)


@app.task
def purge() -> None:
    """Remove what is kept for a term and is over it, for most of a minute."""
    remove_what_is_over(runtime(), should_stop=stopping.is_set)


@app.task
def bring_in() -> None:
    """Try or bring in a list of readers that somebody uploaded."""
    do_lists(runtime(), should_stop=stopping.is_set)


@app.task
def look_up() -> None:
    """Ask DNS who takes in the mail of readers' domains, for most of a minute."""
    look_up_domains(runtime(), should_stop=stopping.is_set)


@app.task
def look_ahead() -> None:
    """Work out what the issues in hand are to come to, and count segments, for most of a minute."""
    work_out_what_is_due(runtime())
    count_what_is_due(runtime())


@app.task
def read_returns() -> None:
    """Take in the bounces and complaints that are new in the mailbox of the settings."""
    poll_mailbox(runtime(), runtime().settings.bounce_mailbox_url, should_stop=stopping.is_set)
