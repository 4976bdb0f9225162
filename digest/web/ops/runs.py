"""Runs: listed, looked at, tried again; missed ones run after all or left out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Response
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput
from digest.domain.schedules import Stage
from digest.pipeline import scheduling
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.ops.answers import answer, said
from digest.web.ops.run_views import run_page, runs_view

router = APIRouter(prefix="/ops/runs")

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_LOOK, _OPERATE = [needs(Right.LOOK)], [needs(Right.OPERATE)]


@router.api_route("", methods=READ, dependencies=_LOOK)
def listed(
    runtime: TheRuntime,
    pages: ThePages,
    state: str = "",
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    done: str = "",
) -> HTMLResponse:
    """Show runs, the newest first."""
    return pages.desk(
        "ops/runs.html", page=runs_view(runtime, state=state, before=before), state=state, said=said(done)
    )


@router.api_route("/{run_id}", methods=READ, dependencies=_LOOK)
def show(runtime: TheRuntime, pages: ThePages, run_id: Number, done: str = "") -> HTMLResponse:
    """Show a run with its stages."""
    return pages.desk("ops/run.html", page=run_page(runtime, run_id), said=said(done))


@router.post("/{run_id}/retry", dependencies=_OPERATE)
def retry(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    run_id: Number,
    stage: Annotated[str, Form()] = "",
) -> Response:
    """Let a run that failed go on."""
    if stage and stage not in set(Stage):
        raise InvalidInput(f"'{stage[:20]}' is no stage of a run; nothing was changed")
    scheduling.retry(runtime, run_id, stage=Stage(stage) if stage else None, by=actor.name)
    return answer(pages, f"/ops/runs/{run_id}", "run-retried")


@router.post("/{run_id}/settle", dependencies=_OPERATE)
def settle(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, run_id: Number, choice: Annotated[str, Form()] = ""
) -> Response:
    """Run a missed date after all, or leave it out."""
    if choice not in ("run", "skip"):
        raise InvalidInput("choose whether the missed run is to run or to be left out; nothing was changed")
    scheduling.settle_missed(runtime, run_id, run=choice == "run", by=actor.name)
    return answer(pages, f"/ops/runs/{run_id}", "missed-run" if choice == "run" else "missed-skipped")


@router.post("/{run_id}/back", dependencies=_OPERATE)
def put_back(runtime: TheRuntime, pages: ThePages, actor: TheActor, run_id: Number) -> Response:
    """Let a date to come that was left out be due again."""
    scheduling.take_back_skip(runtime, run_id, by=actor.name)
    return answer(pages, "/ops/schedules", "date-back")
