"""The editor's pages: newsletters with their issues, an issue, and an issue as a reader gets it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from digest.compose.steps import content_of
from digest.web.checks import checks_view
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.desk import issue_view, overview
from digest.web.first_steps import first_steps
from digest.web.headers import PREVIEW
from digest.web.previews import mail_as, preview_view

router = APIRouter()

# Larger numbers do not fit the column, and PostgreSQL would call them an error.
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Topics = Annotated[list[str], Query(alias="topic", default_factory=list)]
As = Annotated[str, Query(alias="as")]


@router.api_route("/", methods=READ)
def front(runtime: TheRuntime, pages: ThePages, newsletter: str = "") -> HTMLResponse:
    """Show every newsletter with its newest issues, or one with all of them."""
    return pages.desk(
        "front.html",
        newsletters=overview(runtime, only=newsletter),
        only=newsletter,
        first_steps=first_steps(),
    )


@router.api_route("/issues/{issue_id}", methods=READ)
def issue(
    runtime: TheRuntime, pages: ThePages, issue_id: Number, topic: Topics, as_: As = ""
) -> HTMLResponse:
    """Show an issue, what its checks find, and what one reader gets of it."""
    content = content_of(runtime.engine, issue_id)
    return pages.desk(
        "issue.html",
        issue=issue_view(runtime, issue_id, content),
        checks=checks_view(runtime, issue_id),
        preview=preview_view(runtime, issue_id, content, email=as_.strip(), topics=topic),
    )


@router.api_route("/issues/{issue_id}/preview", methods=READ)
def preview(runtime: TheRuntime, issue_id: Number, topic: Topics, as_: As = "") -> HTMLResponse:
    """Return the mail itself, made by the code that sends it, for a sandboxed frame."""
    mail = mail_as(runtime, issue_id, email=as_.strip(), topics=topic)
    return HTMLResponse(mail.html, headers=dict(PREVIEW))
