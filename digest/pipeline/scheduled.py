"""A scheduled run, one stage at a time, so that a worker may die between any two and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from digest.compose.steps import compose
from digest.condense.steps import Report
from digest.domain.approvals import AUTOMATIC
from digest.domain.articles import Usage
from digest.domain.errors import DigestError, Misconfigured, Overtaken, Unavailable
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.runs import StageOutcome
from digest.domain.schedules import Occurrence, OccurrenceId, OccurrenceState, Stage
from digest.domain.times import Window
from digest.gather.polled import Polled
from digest.pipeline.approval import Unsound, approve_issue
from digest.pipeline.condensing import MILLION, condense_for_a_while
from digest.pipeline.ops import tell_ops
from digest.pipeline.run import empty_week, gather_newsletter
from digest.pipeline.stage_words import composed_in_words, condensed_in_words, gathered_in_words
from digest.runtime import Runtime
from digest.schedule.steps import tick, window_of
from digest.store.database import reading, writing
from digest.store.issues import find_issue, get_issue, lock_issue
from digest.store.newsletters import newsletter_by_id
from digest.store.schedules import (
    adopt_issue,
    claim_occurrence,
    get_schedule,
    pending_occurrences,
    put_off,
    record_stage,
)
from digest.store.sources import list_sources
from digest.store.stage_runs import begin_stage, end_stage
from digest.telemetry.spans import span

log = structlog.get_logger(__name__)

RETRY_AFTER = timedelta(minutes=5)
"""When a stage is begun anew whose worker has not been heard of since: longer than any takes."""

ATTEMPTS = 7
FIRST_RETRY = timedelta(seconds=5)
"""A stage that cannot reach something is tried this often before ops are told: first after seconds, as a
database that restarts is soon back, then each pause four times the one before, and `RETRY_AFTER` at most."""


def due_occurrences(runtime: Runtime) -> tuple[OccurrenceId, ...]:
    """Record what has come due, tell ops of what came too late, and return the runs nobody is at."""
    for held in tick(runtime.engine, now=runtime.clock()).held:
        tell_ops(
            runtime,
            f"the run of {held.local_date} was missed",
            f"{held.note}.",
            to_do="Run it now, or leave it out:",
            commands=[f"digest schedule run {held.id}", f"digest schedule skip {held.id}"],
        )
    return unattended_runs(runtime)


def unattended_runs(runtime: Runtime) -> tuple[OccurrenceId, ...]:
    """Return the runs under way that no worker is at: new ones, and those whose hint or worker was lost."""
    with reading(runtime.engine) as session:
        return tuple(run.id for run in pending_occurrences(session, now=runtime.clock()))


def advance(runtime: Runtime, occurrence_id: OccurrenceId) -> bool:
    """Do the next stage of a scheduled run; return whether another stage can follow at once.

    What cannot be reached, or was changed by somebody at the same moment, is tried again later; what is wrong
    ends the run, and ops are told either way in the end.
    """
    # Every line that is logged for it names the run.
    with structlog.contextvars.bound_contextvars(run=occurrence_id):
        return _advance(runtime, occurrence_id)


def _advance(runtime: Runtime, occurrence_id: OccurrenceId) -> bool:
    now = runtime.clock()
    lease_until = now + RETRY_AFTER
    with writing(runtime.engine) as session:
        claimed = claim_occurrence(session, occurrence_id, now=now, lease_until=lease_until)
        if claimed is None:
            return False
        occurrence, attempts = claimed
        begun = begin_stage(session, occurrence.id, occurrence.stage, attempt=attempts, now=now)
    with span(
        f"stage {occurrence.stage}", run=occurrence.id, stage=occurrence.stage, attempt=attempts
    ) as work:
        after, told = _after_attempt(runtime, occurrence, attempts)
        work.note(outcome=_outcome(occurrence, after) if after else StageOutcome.LATER)
    if after is None:
        _try_again_later(runtime, occurrence, attempts, lease_until, begun, told)
        return False
    with writing(runtime.engine) as session:
        end_stage(session, begun, _outcome(occurrence, after), told=told, now=runtime.clock())
        is_ours = record_stage(
            session,
            after.id,
            state=after.state,
            stage=after.stage,
            issue_id=after.issue_id,
            note=after.note,
            lease_until=lease_until,
        )
    if not is_ours:
        log.warning("run.overtaken", occurrence=after.id, stage=occurrence.stage)
        return False
    log.info("run.stage", occurrence=after.id, stage=occurrence.stage, state=after.state, note=after.note)
    if after.state is OccurrenceState.FAILED:
        tell_ops(
            runtime,
            f"a scheduled run failed at '{after.stage}'",
            after.note,
            to_do="Mend what is said above. How the schedules stand:",
            commands=["digest schedule list"],
        )
    return after.state is OccurrenceState.RUNNING


def _outcome(before: Occurrence, after: Occurrence) -> StageOutcome:
    if after.state is OccurrenceState.FAILED:
        return StageOutcome.FAILED
    if after.state is OccurrenceState.WAITING:
        return StageOutcome.WAITING
    unfinished = after.state is OccurrenceState.RUNNING and after.stage is before.stage
    return StageOutcome.UNFINISHED if unfinished else StageOutcome.DONE


def _try_again_later(
    runtime: Runtime, occurrence: Occurrence, attempts: int, lease_until: datetime, begun: int, told: str
) -> None:
    """Give a run back for its next attempt. When not even that can be recorded, its lease runs out."""
    pause = min(FIRST_RETRY * 4 ** (attempts - 1), RETRY_AFTER)
    now = runtime.clock()
    with writing(runtime.engine) as session:
        put_off(session, occurrence.id, lease_until=lease_until, until=now + pause)
        end_stage(session, begun, StageOutcome.LATER, told=told, now=now)


def _after_attempt(runtime: Runtime, occurrence: Occurrence, attempts: int) -> tuple[Occurrence | None, str]:
    """Do one stage; return the occurrence as it stands then, None when it is to be tried again, and words."""
    try:
        if attempts > ATTEMPTS:
            raise Misconfigured(
                f"'{occurrence.stage}' was begun {ATTEMPTS} times and never ended: see the logs"
            )
        return _stage(runtime, occurrence)
    except (Unavailable, Overtaken) as exc:
        if attempts < ATTEMPTS:
            log.warning("run.retry", occurrence=occurrence.id, stage=occurrence.stage, reason=str(exc))
            return None, str(exc)
        return _failed(occurrence, str(exc))
    except DigestError as exc:
        return _failed(occurrence, str(exc))


def _failed(occurrence: Occurrence, reason: str) -> tuple[Occurrence, str]:
    return replace(occurrence, state=OccurrenceState.FAILED, note=reason), reason


def _stage(runtime: Runtime, occurrence: Occurrence) -> tuple[Occurrence, str]:
    """Do one stage; return the occurrence as it stands after it, and what the stage came to in words."""
    engine = runtime.engine
    with reading(engine) as session:
        schedule = get_schedule(session, occurrence.schedule_id)
        newsletter = newsletter_by_id(session, schedule.newsletter_id)
    window = window_of(schedule, occurrence.due_at)
    if occurrence.stage is Stage.GATHER:
        if approved := _let_go_approved(runtime, occurrence, newsletter, window):
            return _done(occurrence, approved)
        polled = gather_newsletter(runtime, engine, newsletter, window)
        return replace(occurrence, stage=Stage.CONDENSE), gathered_in_words(polled)
    if occurrence.stage is Stage.CONDENSE:
        report = condense_for_a_while(runtime, newsletter, window, due=occurrence.due_at)
        _log_condensed(newsletter, report)
        after = occurrence if report.is_cut_short else replace(occurrence, stage=Stage.COMPOSE)
        return after, condensed_in_words(report)
    if occurrence.stage is Stage.COMPOSE:
        return _compose_stage(runtime, occurrence, newsletter, window)
    return _approve_stage(runtime, occurrence, newsletter)


def _let_go_approved(
    runtime: Runtime, occurrence: Occurrence, newsletter: Newsletter, window: Window
) -> Issue | None:
    """Let the issue of these days go that waits for this run, and return it; None when there is none.

    It was approved as it is: nothing is to be gathered for it any more.
    """
    with reading(runtime.engine) as session:
        issue = find_issue(session, newsletter.id, window)
    if issue is None or not issue.awaits_hour:
        return None
    issue = _let_go(runtime, occurrence, issue.id)
    return None if issue.state is IssueState.DRAFT else issue


def _let_go(runtime: Runtime, occurrence: Occurrence, issue_id: IssueId) -> Issue:
    """Let an issue go whose hour has come, have it be this run's, and return it.

    One whose approval was taken back at this moment is returned as the draft that it is.
    """
    with writing(runtime.engine) as session:
        issue = lock_issue(session, issue_id)
        if issue.state is not IssueState.DRAFT:
            # In one transaction: the own hours of its readers are those of the run whose it is.
            adopt_issue(session, occurrence.id, issue.id)
    return issue


def _done(occurrence: Occurrence, issue: Issue) -> tuple[Occurrence, str]:
    """Return a run that is over: from here its issue's own state drives the sending."""
    note = f"issue {issue.id} is {issue.state}"
    done = OccurrenceState.DONE
    return replace(occurrence, issue_id=issue.id, stage=Stage.SEND, state=done, note=note), note


def _log_condensed(newsletter: Newsletter, report: Report) -> None:
    """Log what ops may look for: who wrote, what it cost, and why a model had no part."""
    usage = report.usage or Usage()
    log.info(
        "run.condensed",
        newsletter=newsletter.slug,
        articles=report.articles,
        takeaways=report.takeaways,
        rejected=report.rejected,
        tokens=usage.input_tokens + usage.output_tokens,
        dollars=usage.cost / MILLION,
        is_cut_short=report.is_cut_short,
    )
    for note, count in report.notes.items():
        log.warning("llm.without", newsletter=newsletter.slug, articles=count, reason=note)


def _compose_stage(
    runtime: Runtime, occurrence: Occurrence, newsletter: Newsletter, window: Window
) -> tuple[Occurrence, str]:
    composed = compose(runtime.engine, newsletter, window, now=runtime.clock())
    if composed.issue is None:
        polls = _last_polls(runtime, newsletter)
        note = empty_week(newsletter, window, polls, composed.left_out)
        tell_ops(runtime, f"{newsletter.name}: nothing to send", note)
        return replace(occurrence, state=OccurrenceState.DONE, note=note), note
    after = replace(occurrence, stage=Stage.APPROVE, issue_id=composed.issue.id)
    return after, composed_in_words(composed)


def _last_polls(runtime: Runtime, newsletter: Newsletter) -> tuple[Polled, ...]:
    """Return how each source's last poll ended: gathering was a stage of its own, perhaps elsewhere."""
    with reading(runtime.engine) as session:
        sources = list_sources(session, newsletter.id)
    return tuple(Polled(source.name, error=source.standing.last_error) for source in sources)


def _approve_stage(
    runtime: Runtime, occurrence: Occurrence, newsletter: Newsletter
) -> tuple[Occurrence, str]:
    """Approve, or wait for somebody who does."""
    assert occurrence.issue_id is not None
    with reading(runtime.engine) as session:
        issue = get_issue(session, occurrence.issue_id)
    note = f"issue {issue.id} waits for approval: 'digest issue approve {issue.id}', and it goes out"
    subject = f"{newsletter.name}: issue {issue.id} waits for approval"
    if issue.state is IssueState.DRAFT and newsletter.approval.asks_nobody:
        try:
            issue = approve_issue(runtime, issue.id, by=AUTOMATIC)
        except Unsound as exc:
            note, subject = str(exc), f"{newsletter.name}: issue {issue.id} has errors, so it waits"
    if issue.state is not IssueState.DRAFT:
        issue = _let_go(runtime, occurrence, issue.id)
    if issue.state is not IssueState.DRAFT:
        return _done(occurrence, issue)
    tell_ops(
        runtime,
        subject,
        note,
        to_do="Look at it:",
        commands=[f"digest issue check {issue.id}", f"digest issue preview {issue.id} --text"],
    )
    return replace(occurrence, state=OccurrenceState.WAITING, note=note), note
