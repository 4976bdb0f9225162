"""A mailbox that was signed up without its owner's doing: one press, and sign-ups mail it no more."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from digest.pipeline.sign_ups import ask_never_again, is_asked_never_again
from digest.runtime import Runtime
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import FOR_READERS
from digest.web.speech import accepted_languages
from digest.web.templating import Pages

router = APIRouter(tags=[FOR_READERS])


async def _mark(runtime: TheRuntime, token: str) -> str:
    return runtime.tokens.read_mark(token)


Mark = Annotated[str, Depends(_mark)]


@router.api_route("/never-again/{token}", methods=READ)
def show(request: Request, runtime: TheRuntime, pages: ThePages, mark: Mark, token: str) -> HTMLResponse:
    """Say whether sign-ups may mail this mailbox, and offer the other. Mail scanners open every link."""
    return _page(request, runtime, pages, mark, token)


@router.post("/never-again/{token}")
def change(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    mark: Mark,
    token: str,
    ask: Annotated[str, Form(max_length=16)] = "never",
) -> HTMLResponse:
    """Keep sign-ups from mailing it, or let them again. Twice is the same as once."""
    ask_never_again(runtime, mark, never=ask != "again")
    return _page(request, runtime, pages, mark, token)


def _page(request: Request, runtime: Runtime, pages: Pages, mark: str, token: str) -> HTMLResponse:
    # Whose mailbox it is, nobody knows here: it is spoken to as the browser asks for.
    spoken = pages.phrases(*accepted_languages(request.headers.get("accept-language", "")))
    is_never = is_asked_never_again(runtime, mark)
    page = pages.reader("never_again.html", spoken, token=token, is_never=is_never)
    page.headers["Vary"] = "Accept-Language"
    return page
