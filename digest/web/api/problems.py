"""Every error of the API as a problem (RFC 9457), each of a kind that programs can tell by its code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from digest.compose.edits import ChangedMeanwhile
from digest.domain.errors import (
    Conflict,
    DigestError,
    InvalidInput,
    NotFound,
    Overtaken,
    Refused,
    TooOften,
    Unavailable,
    Unfit,
)
from digest.pipeline.approval import Changed, SameEyes, Unsound
from digest.pipeline.tokens import LacksRight

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its code for programs, its status, its title, and what to do about it."""

    code: str
    status: HTTPStatus
    title: str
    advice: str


UNREADABLE = Kind(
    "invalid",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "Something is missing or wrong",
    "Correct what `detail` and `errors` name. Nothing was changed.",
)
NO_TOKEN = Kind(
    "no-token",
    HTTPStatus.UNAUTHORIZED,
    "A token is needed",
    "Send `Authorization: Bearer dg_…` with a token that works. The page /account/tokens makes one, or "
    "`digest token add` on the server.",
)
NOT_ALLOWED = Kind(
    "not-allowed",
    HTTPStatus.FORBIDDEN,
    "The token may not do that",
    "Use a token with the right that `detail` names.",
)
NOT_FOUND = Kind(
    "not-found", HTTPStatus.NOT_FOUND, "There is nothing here", "Look at the address and the names in it."
)
NO_SUCH_METHOD = Kind(
    "no-such-method",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "That cannot be done here",
    "Use one of the methods in `Allow`.",
)
CONFLICT = Kind(
    "conflict",
    HTTPStatus.CONFLICT,
    "Not as things stand",
    "Look at how it stands now: `detail` says what has to come first. Nothing was changed.",
)
OVERTAKEN = Kind(
    "overtaken",
    HTTPStatus.CONFLICT,
    "Somebody else was first",
    "Somebody changed the same thing at the same moment. Look at it, and try again. Nothing was changed.",
)
UNSOUND = Kind(
    "unsound",
    HTTPStatus.CONFLICT,
    "The issue's checks find errors",
    "Correct what the checks name, or approve it with `despite_errors`. Nothing was changed.",
)
SAME_EYES = Kind(
    "same-eyes",
    HTTPStatus.CONFLICT,
    "A second pair of eyes is wanted",
    "Let somebody else approve it, with a token of their own. Nothing was changed.",
)
CHANGED_SINCE = Kind(
    "changed-since",
    HTTPStatus.PRECONDITION_FAILED,
    "It was changed since you looked",
    "Read it again, and send the new ETag in `If-Match`. Nothing was changed.",
)
KEY_IN_USE = Kind(
    "key-in-use",
    HTTPStatus.CONFLICT,
    "A request with this key is under way",
    "Wait a second, and send the same request with the same `Idempotency-Key` again.",
)
KEY_OPEN = Kind(
    "key-open",
    HTTPStatus.CONFLICT,
    "Nobody knows how a request with this key ended",
    "It was begun and no answer was kept. Look at how things stand, then use a new `Idempotency-Key`.",
)
KEY_REUSED = Kind(
    "key-reused",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "This key belongs to another request",
    "An `Idempotency-Key` names one request. Use a new key for another one.",
)
TOO_LARGE = Kind(
    "too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "That was too much",
    "Send a body of at most 64 KB, a list of at most 1 MB, a log of at most 9 MB.",
)
TOO_MANY = Kind(
    "too-many",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many requests",
    "Wait for the seconds in `Retry-After`.",
)
REFUSED = Kind(
    "refused",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "The other side said no",
    "The server that was asked refused for good: the same request will be refused again.",
)
UNAVAILABLE = Kind(
    "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "Out of reach for the moment",
    "Nothing was changed. Try again after the seconds in `Retry-After`.",
)
MISCONFIGURED = Kind(
    "misconfigured",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "A setting or a template is wrong",
    "Tell whoever keeps the server: `detail` names the setting.",
)
BROKEN = Kind(
    "broken",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something went wrong",
    "Tell whoever keeps the server the reference in `detail`: the log has the rest under it.",
)

KINDS = (
    UNREADABLE,
    NO_TOKEN,
    NOT_ALLOWED,
    NOT_FOUND,
    NO_SUCH_METHOD,
    CONFLICT,
    OVERTAKEN,
    UNSOUND,
    SAME_EYES,
    CHANGED_SINCE,
    KEY_IN_USE,
    KEY_OPEN,
    KEY_REUSED,
    TOO_LARGE,
    TOO_MANY,
    REFUSED,
    UNAVAILABLE,
    MISCONFIGURED,
    BROKEN,
)

_OF_ERRORS: tuple[tuple[type[DigestError], Kind], ...] = (
    (NotFound, NOT_FOUND),
    (LacksRight, NOT_ALLOWED),
    (Overtaken, OVERTAKEN),
    (Unsound, UNSOUND),
    (SameEyes, SAME_EYES),
    (Changed, CHANGED_SINCE),
    (ChangedMeanwhile, CHANGED_SINCE),
    (TooOften, TOO_MANY),
    (Conflict, CONFLICT),
    (InvalidInput, UNREADABLE),
    (Refused, REFUSED),
    (Unavailable, UNAVAILABLE),
)
_OF_STATUSES = {kind.status: kind for kind in (NO_SUCH_METHOD, NOT_FOUND, TOO_LARGE, UNREADABLE, UNAVAILABLE)}
_RETRY_SECONDS = 60


class Wrong(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="The part of the request: `body.email`, `query.limit`.")
    what: str = Field(description="What is wrong with it, in words.")


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(description="The kind's address in this documentation.")
    title: str = Field(description="The kind in words: the same for all problems of a kind.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong here, and what to do.")
    code: str = Field(description="The kind for programs. It stays as it is.")
    errors: list[Wrong] = Field(
        default_factory=list, description="Each thing that is wrong, where it is known."
    )


class Refusal(Exception):
    """A request that goes no further: of which kind, in words, with these headers, for these `errors`."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        errors: Sequence[Wrong] = (),
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = headers or {}
        self.errors = list(errors)


def answer(
    request: Request,
    kind: Kind,
    detail: str,
    *,
    errors: list[Wrong] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the problem as a response."""
    problem = Problem(
        type=f"{request.app.state.address}/reference#{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=detail or kind.advice,
        code=kind.code,
        errors=errors or [],
    )
    return JSONResponse(problem.model_dump(), kind.status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def refused(request: Request, exc: Refusal) -> JSONResponse:
    """Answer a request that goes no further."""
    return answer(request, exc.kind, str(exc), errors=exc.errors, headers=exc.headers)


def expected(request: Request, exc: DigestError) -> JSONResponse:
    """Answer an error that Digest raised on purpose."""
    kind = kind_of(exc)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("api.refused", reason=str(exc), status=kind.status.value)
    headers = {}
    if isinstance(exc, Unavailable):
        wait = exc.retry_after.total_seconds() if exc.retry_after else _RETRY_SECONDS
        headers = {"Retry-After": str(max(1, round(wait)))}
    elif isinstance(exc, TooOften):
        headers = {"Retry-After": str(math.ceil(exc.wait.total_seconds()))}
    wrong = (
        [Wrong(where=f"body.{field}", what=what) for field, what in exc.problems.items()]
        if isinstance(exc, Unfit)
        else []
    )
    return answer(request, kind, str(exc), errors=wrong, headers=headers)


def kind_of(exc: DigestError) -> Kind:
    """Return which kind of problem an error is."""
    return next((kind for of, kind in _OF_ERRORS if isinstance(exc, of)), MISCONFIGURED)


def unreadable(request: Request, exc: RequestValidationError) -> JSONResponse:
    """Answer a request whose address, query or body is not what the API takes."""
    wrong = [
        Wrong(where=".".join(map(str, error["loc"])), what=error["msg"].removeprefix("Value error, "))
        for error in exc.errors()
    ]
    if any(error["loc"][0] == "path" for error in exc.errors()):
        return answer(request, NOT_FOUND, "there is no such number or name: " + _in_words(wrong))
    return answer(request, UNREADABLE, _in_words(wrong), errors=wrong)


def _in_words(wrong: list[Wrong]) -> str:
    return "; ".join(f"{one.where}: {one.what}" for one in wrong)


def http(request: Request, exc: HTTPException) -> JSONResponse:
    """Answer what the framework refuses: no such address, no such method, a body too large."""
    kind = _OF_STATUSES.get(HTTPStatus(exc.status_code), UNREADABLE)
    headers = exc.headers
    if kind is NO_SUCH_METHOD:
        # The framework names the methods of the first route of that path alone.
        headers = {"Allow": ", ".join(sorted(request.app.state.methods_of(request.scope)))}
    return answer(request, kind, kind.advice, headers=headers)
