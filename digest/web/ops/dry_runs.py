"""Dry runs: asked for beside a schedule, done by a worker, shown with what they found."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.pipeline.dry_runs import ask_dry_run
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.ops.answers import answer, said
from digest.web.ops.dry_run_views import dry_run_view

router = APIRouter(prefix="/ops")

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_LOOK, _OPERATE = [needs(Right.LOOK)], [needs(Right.OPERATE)]


@router.post("/schedules/{schedule_id}/try", dependencies=_OPERATE)
def ask(runtime: TheRuntime, pages: ThePages, actor: TheActor, schedule_id: Number) -> Response:
    """Ask for a dry run of what a run of this schedule would come to now."""
    asked = ask_dry_run(runtime, schedule_id, by=actor.name)
    return answer(pages, f"/ops/dry-runs/{asked.id}", "dry-run-asked")


@router.api_route("/dry-runs/{number}", methods=READ, dependencies=_LOOK)
def show(runtime: TheRuntime, pages: ThePages, number: Number, done: str = "") -> HTMLResponse:
    """Show a dry run: how far it is, then what it found."""
    return pages.desk("ops/dry_run.html", page=dry_run_view(runtime, number), said=said(done))


@router.api_route("/dry-runs/{number}/state", methods=READ, dependencies=_LOOK)
def state(runtime: TheRuntime, pages: ThePages, number: Number) -> HTMLResponse:
    """Return how a dry run stands, for its place in the page, which asks until it is over."""
    return pages.desk("ops/dry_run_state.html", page=dry_run_view(runtime, number))
