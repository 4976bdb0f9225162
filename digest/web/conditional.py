"""Answers that are asked for again and again: 304 when nothing changed (RFC 9110 §13)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request, Response


def answer(
    request: Request,
    body: bytes,
    *,
    media_type: str,
    headers: Mapping[str, str],
) -> Response:
    """Return `body` with its ETag, or 304 to who has it.

    It has no Last-Modified: no date tells whether a page is the same, as a new name or design changes it too.
    """
    validators = {**headers, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if _has_it(request, validators["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=validators)
    return Response(body, media_type=media_type, headers=validators)


def _has_it(request: Request, etag: str) -> bool:
    """Tell whether the body is there already."""
    tags = request.headers.get("if-none-match", "")
    return tags.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
