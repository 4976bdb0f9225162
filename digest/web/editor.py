"""The editor's pages: newsletters with their issues, and an issue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from digest.compose.steps import content_of
from digest.domain.accounts import Right
from digest.pipeline.heard import heard_after
from digest.web.access import needs
from digest.web.checks import checks_in_short
from digest.web.coming import needs_of
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.desk import issue_view, overview
from digest.web.first_steps import first_steps
from digest.web.standings import TheStandings

router = APIRouter(dependencies=[needs(Right.LOOK)])

# Larger numbers do not fit the column, and PostgreSQL would call them an error.
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.api_route("/", methods=READ)
def front(
    runtime: TheRuntime, pages: ThePages, standings: TheStandings, newsletter: str = ""
) -> HTMLResponse:
    """Show every newsletter with its newest issues, or one with all of them."""
    return pages.desk(
        "front.html",
        newsletters=overview(runtime, standings, only=newsletter),
        only=newsletter,
        needs=() if newsletter else needs_of(runtime),
        first_steps=first_steps(),
    )


@router.api_route("/issues/{issue_id}", methods=READ)
def issue(runtime: TheRuntime, pages: ThePages, standings: TheStandings, issue_id: Number) -> HTMLResponse:
    """Show an issue, and how much its checks find."""
    content = content_of(runtime.engine, issue_id)
    return pages.desk(
        "issue.html",
        issue=issue_view(runtime, standings, issue_id, content),
        checks=checks_in_short(runtime, issue_id),
        heard=heard_after(runtime, issue_id),
    )
