"""What is kept of people and how long; what is stored of one, for admins to hand out or to erase."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse

from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput, NotFound
from digest.pipeline.erasing import address_data, erase_address
from digest.runtime import Runtime
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.headers import DESK
from digest.web.ops.answers import answer, said
from digest.web.ops.kept_views import Found, found_view, kinds_view
from digest.web.templating import Pages

router = APIRouter(prefix="/ops/kept")

PATH = "/ops/kept"
_LOOK, _ADMINISTER = [needs(Right.LOOK)], [needs(Right.ADMINISTER)]

Email = Annotated[str, Form(max_length=320)]


@router.api_route("", methods=READ, dependencies=_LOOK)
def kept(runtime: TheRuntime, pages: ThePages, done: str = "") -> HTMLResponse:
    """Show what is kept for which term, and what went of it."""
    return _page(runtime, pages, done=done)


@router.post("", dependencies=_ADMINISTER)
def look_up(runtime: TheRuntime, pages: ThePages, email: Email = "") -> HTMLResponse:
    """Show what is stored of somebody. Not by an address of a page: those stand in logs and histories."""
    try:
        found = found_view(address_data(runtime, email))
    except (InvalidInput, NotFound) as exc:
        status = HTTPStatus.NOT_FOUND if isinstance(exc, NotFound) else HTTPStatus.UNPROCESSABLE_ENTITY
        return _page(runtime, pages, sought=email, problem=str(exc), status=status)
    return _page(runtime, pages, sought=email, found=found)


@router.post("/data", dependencies=_ADMINISTER)
def hand_out(runtime: TheRuntime, email: Email = "") -> Response:
    """Give out all that is stored of somebody as JSON, for themselves."""
    body = json.dumps(address_data(runtime, email), ensure_ascii=False, indent=2)
    headers = {**DESK, "Content-Disposition": 'attachment; filename="reader.json"'}
    return Response(f"{body}\n", media_type="application/json", headers=headers)


@router.post("/erase", dependencies=_ADMINISTER)
def erase(runtime: TheRuntime, pages: ThePages, actor: TheActor, email: Email = "") -> Response:
    """Remove all that is stored of somebody, for good."""
    done = erase_address(runtime, email, by=actor.name)
    if done.goes_on:
        return answer(pages, PATH, "erasing")
    return answer(pages, PATH, "erased-but-account" if done.has_account else "erased")


def _page(
    runtime: Runtime,
    pages: Pages,
    *,
    sought: str = "",
    found: Found | None = None,
    problem: str = "",
    done: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> HTMLResponse:
    return pages.desk(
        "ops/kept.html",
        status=status,
        kinds=kinds_view(runtime),
        sought=sought,
        found=found,
        problem=problem,
        said=said(done),
    )
