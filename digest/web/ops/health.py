"""Whether everything works, on one page."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.web.access import needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.ops.health_views import health_view
from digest.web.ops.tallies import TheTallies

router = APIRouter()


@router.api_route("/ops/health", methods=READ, dependencies=[needs(Right.LOOK)])
def health(runtime: TheRuntime, pages: ThePages, tallies: TheTallies) -> HTMLResponse:
    """Show what everything stands on, the sources that fail, and how well mail is liked."""
    return pages.desk("ops/health.html", page=health_view(runtime, tallies))
