"""Figures over time, as charts with tables beneath."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.runtime import Runtime
from digest.web.access import needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.ops.click_views import Followed, count_followed
from digest.web.ops.figure_views import count_growth, figures_view
from digest.web.ops.tallies import Growths, Kept, TheTallies

router = APIRouter()

FRESH_SECONDS = 300.0
"""Weeks and months change slowly."""

CLICKS_FRESH_SECONDS = 30.0
"""As often as clicks are counted."""


async def _growths(request: Request) -> Growths:
    state = request.app.state
    if not hasattr(state, "growths"):
        runtime: Runtime = state.runtime
        state.growths = Kept(lambda number: count_growth(runtime, number), fresh=FRESH_SECONDS)
    growths: Growths = state.growths
    return growths


FollowedByNewsletter = Kept[Followed]
"""What was counted of newsletters' last issues, by their numbers."""


async def _followed(request: Request) -> FollowedByNewsletter:
    state = request.app.state
    if not hasattr(state, "followed"):
        runtime: Runtime = state.runtime
        state.followed = Kept(lambda number: count_followed(runtime, number), fresh=CLICKS_FRESH_SECONDS)
    followed: FollowedByNewsletter = state.followed
    return followed


@router.api_route("/ops/figures", methods=READ, dependencies=[needs(Right.LOOK)])
def figures(
    runtime: TheRuntime,
    pages: ThePages,
    tallies: TheTallies,
    growths: Annotated[Growths, Depends(_growths)],
    followed: Annotated[FollowedByNewsletter, Depends(_followed)],
    newsletter: str = "",
) -> HTMLResponse:
    """Show a newsletter's figures."""
    page = figures_view(runtime, tallies, growths, followed, newsletter=newsletter)
    return pages.desk("ops/figures.html", page=page)
