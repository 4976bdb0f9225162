"""Every error as a page in words. What a subscriber reads names nothing of the inside."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from html import escape
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.types import Scope

from digest.compose.phrases import Phrases
from digest.domain.errors import Conflict, DigestError, InvalidInput, NotFound, Refused, TooOften, Unavailable
from digest.web.headers import DESK
from digest.web.speech import accepted_languages
from digest.web.templating import Pages
from digest.web.views import ErrorView

log = structlog.get_logger(__name__)

FOR_READERS = "for readers"
"""The tag of routes that subscribers reach."""

FOR_VISITORS = "for visitors"
"""The tag of routes that everybody reaches."""

_STATUSES: tuple[tuple[type[DigestError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (TooOften, HTTPStatus.TOO_MANY_REQUESTS),
    (Conflict, HTTPStatus.CONFLICT),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Refused, HTTPStatus.NOT_FOUND),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)

_TITLES = {
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.METHOD_NOT_ALLOWED: "That cannot be done here",
    HTTPStatus.CONFLICT: "Not as things stand",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That was too much",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Something is missing",
    HTTPStatus.TOO_MANY_REQUESTS: "That was too often",
    HTTPStatus.SERVICE_UNAVAILABLE: "Out of reach for the moment",
}
_WORDS = {
    HTTPStatus.NOT_FOUND: "No page has this address, or what it showed was removed.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address is not opened in that way. Nothing was changed: "
    "go back to the page you came from.",
}
"""What is told where no reason is known, or may be told."""

_BROKEN = "Something went wrong"

_SAID = {"HX-Retarget": "#said", "HX-Reswap": "innerHTML"}

_PUBLIC = "public_error.html"
_VARYING = {"Vary": "Accept-Language"}


def add_error_pages(app: FastAPI, pages: Pages) -> None:
    """Answer every error that is expected with a page."""

    def expected(request: Request, exc: DigestError) -> Response:
        status = status_of(exc)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("web.refused", reason=str(exc), status=status.value)
        return _answer(pages, request, status, str(exc))

    def unreadable(request: Request, exc: RequestValidationError) -> Response:
        in_path = any(error["loc"][0] == "path" for error in exc.errors())
        if in_path:
            return _answer(pages, request, HTTPStatus.NOT_FOUND, "")
        return _answer(pages, request, HTTPStatus.UNPROCESSABLE_ENTITY, _what_is_wrong(exc))

    def http(request: Request, exc: HTTPException) -> Response:
        response = _answer(pages, request, HTTPStatus(exc.status_code), "")
        response.headers.update(exc.headers or {})
        return response

    app.exception_handler(DigestError)(expected)
    app.exception_handler(RequestValidationError)(unreadable)
    app.exception_handler(HTTPException)(http)


def status_of(exc: DigestError) -> HTTPStatus:
    """Return the HTTP status that says what the error's type says."""
    return next(
        (status for kind, status in _STATUSES if isinstance(exc, kind)), HTTPStatus.INTERNAL_SERVER_ERROR
    )


def broken(pages: Pages, reference: str, scope: Scope) -> Response:
    """Return the page for an error nobody expected; `reference` is in the log beside it."""
    request, status = Request(scope), HTTPStatus.INTERNAL_SERVER_ERROR
    if FOR_VISITORS in _tags(request):
        return _to_visitors(pages, request, status, reference)
    return _to_readers(pages, request, status, reference)


def _answer(pages: Pages, request: Request, status: HTTPStatus, reason: str) -> Response:
    tags = _tags(request)
    if FOR_READERS in tags:
        return _to_readers(pages, request, status)
    if FOR_VISITORS in tags:
        return _to_visitors(pages, request, status)
    signed_in = getattr(request.state, "signed_in", None)
    # Who is not signed in is not told what a newsletter is called, or where the database is.
    told = reason if signed_in else ""
    words = told or _WORDS.get(status) or f"{status.description or status.phrase}."
    error = ErrorView(_TITLES.get(status, _BROKEN), words)
    if request.headers.get("hx-request") and signed_in:
        # A whole page would be put in place of a part: what was wrong is said in one line instead.
        return HTMLResponse(escape(error.words), status, headers={**DESK, **_SAID})
    return pages.seen_by(signed_in).desk("error.html", status=status, error=error)


def _tags(request: Request) -> Collection[str | Enum]:
    tags: Collection[str | Enum] = getattr(request.scope.get("route"), "tags", ())
    return tags


def _to_readers(pages: Pages, request: Request, status: HTTPStatus, reference: str = "") -> Response:
    page = pages.reader(
        _PUBLIC, _spoken(pages, request), status=status, told_status=status.value, reference=reference
    )
    page.headers.update(_VARYING)
    return page


def _to_visitors(pages: Pages, request: Request, status: HTTPStatus, reference: str = "") -> Response:
    page = pages.visitor(_PUBLIC, _spoken(pages, request), told_status=status.value, reference=reference)
    return HTMLResponse(page, status, headers=dict(_VARYING))


def _spoken(pages: Pages, request: Request) -> Phrases:
    """Return how to speak to whoever asks: an address that leads nowhere is of no newsletter's language."""
    return pages.phrases(*accepted_languages(request.headers.get("accept-language", "")))


def _what_is_wrong(exc: RequestValidationError) -> str:
    return "; ".join(f"{error['loc'][-1]}: {error['msg'].lower()}" for error in exc.errors())
