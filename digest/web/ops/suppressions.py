"""The addresses that are never mailed: looked up, put on the list, taken off, as a list in and out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from digest.domain.accounts import Right
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.suppressions import SuppressionReason
from digest.intake.suppressions import export_suppressions
from digest.pipeline.suppressing import let_be_mailed, suppress_by_hand, suppress_listed
from digest.store.database import reading
from digest.store.suppressions import list_suppressions
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.headers import DESK
from digest.web.ops.answers import answer, said
from digest.web.ops.suppression_views import lines_of, reasons_of

router = APIRouter(prefix="/ops/suppressions")

PATH = "/ops/suppressions"
PAGE = 50
_CHUNK = 64 * 1024
_LOOK, _OPERATE = [needs(Right.LOOK)], [needs(Right.OPERATE)]


@router.api_route("", methods=READ, dependencies=_LOOK)
def listed(
    runtime: TheRuntime,
    pages: ThePages,
    q: Annotated[str, Query(max_length=320)] = "",
    reason: str = "",
    after: Annotated[str, Query(max_length=320)] = "",
    done: str = "",
) -> HTMLResponse:
    """Show the list by address: those that begin with `q`, for one reason, behind `after`."""
    if reason and reason not in set(SuppressionReason):
        raise InvalidInput(f"nobody is suppressed for '{reason[:20]}': choose a reason above the list")
    with reading(runtime.engine) as session:
        found = list_suppressions(session, limit=PAGE + 1, after=after, reason=reason, prefix=q)
    return pages.desk(
        "ops/suppressions.html",
        lines=lines_of(found[:PAGE]),
        reasons=reasons_of(reason),
        q=q,
        reason=reason,
        more=found[PAGE - 1].email if len(found) > PAGE else "",
        said=said(done),
    )


@router.post("/add", dependencies=_OPERATE)
def add(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    email: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Never mail an address again."""
    _, is_new = suppress_by_hand(runtime, email, why=why, by=actor.name)
    return answer(pages, PATH, "suppressed" if is_new else "suppressed-before")


@router.post("/remove", dependencies=_OPERATE)
def remove(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    email: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Let an address be mailed again."""
    removal = let_be_mailed(runtime, email, why=why, by=actor.name)
    was_complaint = removal.suppression.reason == SuppressionReason.COMPLAINT
    return answer(pages, PATH, "complainer-back" if was_complaint else "unsuppressed")


@router.api_route("/import", methods=READ, dependencies=_OPERATE)
def ask_import(pages: ThePages) -> HTMLResponse:
    """Show where a list is pasted."""
    return pages.desk("ops/suppression_import.html", text="", problems=(), told="")


@router.post("/import", dependencies=_OPERATE)
def take_in(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, text: Annotated[str, Form()] = ""
) -> HTMLResponse:
    """Put the addresses of a list on ours: all of them, or none when a line is wrong."""
    try:
        done = suppress_listed(runtime, text, by=actor.name)
    except InvalidInput as exc:
        problems = str(exc).splitlines()
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return pages.desk("ops/suppression_import.html", status=status, text=text, problems=problems, told="")
    told = f"Suppressed {counted(done.added, 'address', 'addresses')}; {done.known} were there before."
    return pages.desk("ops/suppression_import.html", text="", problems=(), told=told)


@router.get("/export", dependencies=_OPERATE)
def export(runtime: TheRuntime) -> Response:
    """Give out the whole list as CSV, as `digest suppression import` reads it."""
    headers = {**DESK, "Content-Disposition": 'attachment; filename="suppressions.csv"'}
    return StreamingResponse(_exported(runtime), media_type="text/csv; charset=utf-8", headers=headers)


def _exported(runtime: TheRuntime) -> Iterator[bytes]:
    # Read at once and sent as slowly as somebody reads: no question to the database stays open meanwhile.
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as file:
        export_suppressions(runtime.engine, file)
        file.seek(0)
        while part := file.read(_CHUNK):
            yield part.encode()
