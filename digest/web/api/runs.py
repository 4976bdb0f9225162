"""Runs: the due dates of schedules, and how far each has come."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from digest.domain.accounts import Right
from digest.domain.runs import StageOutcome, StageRun
from digest.domain.schedules import Occurrence, OccurrenceState, Stage
from digest.pipeline.scheduling import retry, settle_missed, take_back_skip
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.store.schedules import get_occurrence, occurrences_page
from digest.store.stage_runs import stages_of
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import Given, Listed, Number, Slug, Told, page, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Schedules and runs"])


class Run(Told):
    """One due date of a schedule."""

    id: int
    schedule_id: int
    local_date: date = Field(description="The date it was due, in the schedule's zone.")
    due_at: datetime
    state: OccurrenceState = Field(
        description="`held` waits for ops to run or skip it, `waiting` for an editor's approval."
    )
    stage: Stage = Field(description="The stage it stands at.")
    issue_id: int | None
    note: str = Field(description="What there is to know, in words.")

    @classmethod
    def of(cls, one: Occurrence) -> Run:
        """Return an occurrence as the API tells it."""
        return cls(
            id=one.id,
            schedule_id=one.schedule_id,
            local_date=one.local_date,
            due_at=one.due_at,
            state=one.state,
            stage=one.stage,
            issue_id=one.issue_id,
            note=one.note,
        )


@router.get("/runs", **asks(Right.LOOK))
def list_runs(
    runtime: TheRuntime,
    state: Annotated[
        list[OccurrenceState], Query(default_factory=list, description="Only in this state. Repeat it.")
    ],
    newsletter: Annotated[Slug | None, Query(description="Only this newsletter's.")] = None,
    limit: Limit = 50,
    cursor: After = None,
) -> Listed[Run]:
    """Return the runs of all schedules, the newest first."""
    after = read_cursor(cursor, int)
    with reading(runtime.engine) as session:
        rows = occurrences_page(
            session,
            limit=limit + 1,
            newsletter_id=get_newsletter(session, newsletter).id if newsletter else None,
            states=state,
            before=int(after[0]) if after else None,
        )
    return page(rows, Run.of, limit=limit, key=lambda one: (one.id,))


@router.get("/runs/{run_id}", **asks(Right.LOOK))
def show_run(runtime: TheRuntime, run_id: Number) -> Run:
    """Return a run."""
    with reading(runtime.engine) as session:
        return Run.of(get_occurrence(session, run_id))


class StageTold(Told):
    """One attempt at a stage of a run."""

    stage: Stage
    attempt: int
    began_at: datetime
    ended_at: datetime | None
    outcome: StageOutcome | None = Field(
        description="null while it goes on, or where its worker ended in the middle of it."
    )
    told: str = Field(description="What it came to, or what was wrong, in words.")

    @classmethod
    def of(cls, one: StageRun) -> StageTold:
        """Return an attempt as the API tells it."""
        return cls(
            stage=one.stage,
            attempt=one.attempt,
            began_at=one.began_at,
            ended_at=one.ended_at,
            outcome=one.outcome,
            told=one.told,
        )


@router.get("/runs/{run_id}/stages", **asks(Right.LOOK))
def list_stages(runtime: TheRuntime, run_id: Number) -> Listed[StageTold]:
    """Return every attempt at the stages of a run, the first one first."""
    with reading(runtime.engine) as session:
        return whole(stages_of(session, get_occurrence(session, run_id).id), StageTold.of)


class Retry(Given):
    """Where a run that failed is to go on."""

    stage: Stage | None = Field(None, description="An earlier stage; null: where it stopped.")


@router.post("/runs/{run_id}/retry", status_code=202, **asks(Right.OPERATE))
def retry_run(runtime: TheRuntime, caller: TheCaller, run_id: Number, where: Retry | None = None) -> Run:
    """Let a run that failed go on where it stopped, or from an earlier stage."""
    return Run.of(retry(runtime, run_id, stage=where.stage if where else None, by=caller.name))


@router.post("/runs/{run_id}/run", status_code=202, **asks(Right.OPERATE))
def run_missed(runtime: TheRuntime, caller: TheCaller, run_id: Number) -> Run:
    """Do a run after all that was missed and waits for somebody's word."""
    return Run.of(settle_missed(runtime, run_id, run=True, by=caller.name))


@router.post("/runs/{run_id}/skip", **asks(Right.OPERATE))
def skip_missed(runtime: TheRuntime, caller: TheCaller, run_id: Number) -> Run:
    """Leave out a run that was missed and waits for somebody's word."""
    return Run.of(settle_missed(runtime, run_id, run=False, by=caller.name))


@router.post("/runs/{run_id}/restore", **asks(Right.OPERATE))
def restore_skipped(runtime: TheRuntime, caller: TheCaller, run_id: Number) -> Run:
    """Let a date to come that was left out be due after all."""
    return Run.of(take_back_skip(runtime, run_id, by=caller.name))
