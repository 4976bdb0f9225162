"""The first page of the ops room: what needs a person, what goes on, what comes next."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.web.access import needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.ops.answers import said
from digest.web.ops.now_views import now_view

router = APIRouter()


@router.api_route("/ops", methods=READ, dependencies=[needs(Right.LOOK)])
def now(runtime: TheRuntime, pages: ThePages, done: str = "") -> HTMLResponse:
    """Show what needs a person first."""
    return pages.desk("ops/now.html", page=now_view(runtime), said=said(done))
