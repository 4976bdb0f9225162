"""Every error as a page in words. What a subscriber reads names nothing of the inside."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from digest.domain.errors import Conflict, DigestError, InvalidInput, NotFound, Refused, Unavailable
from digest.web.templating import Pages
from digest.web.views import ErrorView

log = structlog.get_logger(__name__)

FOR_READERS = "for readers"
"""The tag of routes that subscribers reach."""

FOR_VISITORS = "for visitors"
"""The tag of routes that everybody reaches."""

_STATUSES: tuple[tuple[type[DigestError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
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
    HTTPStatus.SERVICE_UNAVAILABLE: "Out of reach for the moment",
}
_BROKEN = "Something went wrong"

_READER_WORDS = {
    HTTPStatus.NOT_FOUND: (
        "This link does not work",
        "It may have been cut off on its way, or what it was for may be gone. Open it from the mail once "
        "more; nothing was changed.",
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "That did not arrive whole",
        "Nothing was changed. Open the link from your mail once more and try again.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "Please try again in a few minutes",
        "Your subscription is out of reach for the moment. Nothing was changed.",
    ),
}
_READER_DEFAULT = (_BROKEN, "Nothing was changed. Please try again in a few minutes.")


_VISITOR_WORDS = {
    HTTPStatus.NOT_FOUND: (
        "There is no such page",
        "This newsletter has no public archive, or the page is not in it, or not any more.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: ("That cannot be done here", "An archive can only be read."),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "That address is not complete",
        "Something in it is not as it has to be. Go to the archive's first page and on from there.",
    ),
}
_VISITOR_DEFAULT = (_BROKEN, "Please try again in a few minutes.")


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


def broken(pages: Pages, reference: str, *, tags: Collection[str | Enum] = ()) -> Response:
    """Return the page for an error nobody expected; `reference` is in the log beside it.

    `tags` are those of the route that was asked for: its error looks like its pages.
    """
    error = ErrorView(
        _BROKEN, f"It was logged as {reference}; nothing more is known here. Trying again may help."
    )
    if FOR_VISITORS in tags:
        return _to_visitors(pages, HTTPStatus.INTERNAL_SERVER_ERROR, error)
    return pages.reader("error.html", status=500, error=error)


def _answer(pages: Pages, request: Request, status: HTTPStatus, reason: str) -> Response:
    tags = getattr(request.scope.get("route"), "tags", ())
    if FOR_READERS in tags:
        said = _READER_WORDS.get(status, _READER_DEFAULT)
        return pages.reader("error.html", status=status, error=ErrorView(*said))
    if FOR_VISITORS in tags:
        said = _VISITOR_WORDS.get(status, _VISITOR_DEFAULT)
        return _to_visitors(pages, status, ErrorView(*said))
    error = ErrorView(_TITLES.get(status, _BROKEN), reason or f"{status.description or status.phrase}.")
    return pages.desk("error.html", status=status, error=error)


def _to_visitors(pages: Pages, status: HTTPStatus, error: ErrorView) -> Response:
    return HTMLResponse(pages.visitor("error.html", error=error), status)


def _what_is_wrong(exc: RequestValidationError) -> str:
    return "; ".join(f"{error['loc'][-1]}: {error['msg'].lower()}" for error in exc.errors())
