"""What the API can do, told by itself: as an OpenAPI document, and as a page to read."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

from digest.compose.phrases import ENGLISH
from digest.web.api.problems import (
    KINDS,
    MEDIA_TYPE,
    NO_TOKEN,
    NOT_ALLOWED,
    TOO_MANY,
    UNAVAILABLE,
    UNREADABLE,
    Kind,
    Problem,
)
from digest.web.api.reference import NEEDS, reference_of
from digest.web.dependencies import ThePages

router = APIRouter(include_in_schema=False)

_ABOUT = (
    "What the pages of Digest show and do, for programs. Each request carries a token: "
    "`Authorization: Bearer dg_…`, made on the page /account/tokens or with `digest token add`. Lists come a "
    "page at a time: send the `next_cursor` of one page as `cursor` for the next. Instants are RFC 3339 in "
    "UTC. Every error is a problem (RFC 9457) whose `code` stays as it is."
)
_SECURITY = "token"
_SCHEMA = "#/components/schemas/Problem"
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Any text of your own: the same request with the same key is done once in 24 hours.",
}
_ALWAYS = (NO_TOKEN, NOT_ALLOWED, UNREADABLE, TOO_MANY, UNAVAILABLE)
"""Problems that any request may meet."""


@router.get("/openapi.json")
def openapi_document(request: Request) -> JSONResponse:
    """Return the OpenAPI document. It holds no secret, so it needs no token."""
    return JSONResponse(document_of(request.app))


@router.get("/reference")
def reference(request: Request, pages: ThePages) -> HTMLResponse:
    """Show the same as a page, and every kind of problem."""
    told = reference_of(document_of(request.app))
    page = pages.text(
        "api/reference.html",
        ENGLISH,
        address=request.app.state.address,
        groups=told,
        kinds=KINDS,
        is_desk=False,
        audience="desk reference",
    )
    return HTMLResponse(page)


def document_of(api: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the API, made once."""
    if not hasattr(api.state, "document"):
        api.state.document = _made(api)
    document: dict[str, Any] = api.state.document
    return document


def _made(api: FastAPI) -> dict[str, Any]:
    document = api.openapi()
    document["info"]["description"] = _ABOUT
    document["servers"] = [{"url": api.state.address}]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        _SECURITY: {"type": "http", "scheme": "bearer", "description": "A token: `dg_…`."}
    }
    document["security"] = [{_SECURITY: []}]
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    for method, operation in _operations(document):
        operation["summary"] = operation["description"].partition("\n")[0]
        operation["description"] += f"{NEEDS}`{operation['x-right']}`."
        operation["responses"] |= _problems(method, operation)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in document["paths"].values():
        yield from methods.items()


def _problems(method: str, operation: dict[str, Any]) -> dict[str, Any]:
    statuses = {kind.status for kind in _ALWAYS}
    takes = [(one["in"], one["name"]) for one in operation.get("parameters", ())]
    if takes:
        statuses.add(HTTPStatus.NOT_FOUND)
    if method != "get" or ("query", "email") in takes:
        statuses |= {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
    # What a call's own declaration says of its refusals.
    statuses |= {HTTPStatus(int(code)) for code in operation["responses"] if code.startswith("4")}
    if ("header", "if-match") in takes:
        statuses.add(HTTPStatus.PRECONDITION_FAILED)
    if "requestBody" in operation:
        statuses.add(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if method != "get":
        operation.setdefault("parameters", []).append(_KEY)
    return {str(status.value): _problem(status) for status in sorted(statuses)}


def _problem(status: HTTPStatus) -> dict[str, Any]:
    kinds: list[Kind] = [kind for kind in KINDS if kind.status is status]
    return {
        "description": "; ".join(f"{kind.title} (`{kind.code}`)" for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": {"$ref": _SCHEMA}}},
    }
