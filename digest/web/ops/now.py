"""The first page of the ops room: what needs a person, what goes on, what comes next."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput
from digest.pipeline import control
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.ops.answers import answer, said
from digest.web.ops.now_views import now_view

router = APIRouter()


@router.api_route("/ops", methods=READ, dependencies=[needs(Right.LOOK)])
def now(runtime: TheRuntime, pages: ThePages, done: str = "") -> HTMLResponse:
    """Show what needs a person first."""
    return pages.desk("ops/now.html", page=now_view(runtime), said=said(done))


@router.post("/ops/hold", dependencies=[needs(Right.OPERATE)])
def hold(runtime: TheRuntime, pages: ThePages, actor: TheActor, why: Annotated[str, Form()] = "") -> Response:
    """Send nothing at all from now on."""
    if len(why) > 500:
        raise InvalidInput("a reason has 500 characters at most; nothing was changed")
    control.hold(runtime, by=actor.name, why=" ".join(why.split()))
    return answer(pages, "/ops", "all-held")


@router.post("/ops/let-go", dependencies=[needs(Right.OPERATE)])
def let_go(runtime: TheRuntime, pages: ThePages, actor: TheActor) -> Response:
    """Let everything go on."""
    control.let_go(runtime, by=actor.name)
    return answer(pages, "/ops", "all-going")
