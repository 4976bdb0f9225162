"""Answers that are asked for again and again: 304 when nothing changed (RFC 9110 §13)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus

from fastapi import Request, Response


def answer(
    request: Request,
    body: bytes,
    *,
    media_type: str,
    changed_at: datetime,
    headers: Mapping[str, str],
) -> Response:
    """Return `body` with its validators, or 304 to who has it; `changed_at` is when it last changed."""
    validators = {
        **headers,
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Last-Modified": format_datetime(changed_at, usegmt=True),
    }
    if _has_it(request, validators["ETag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=validators)
    return Response(body, media_type=media_type, headers=validators)


def _has_it(request: Request, etag: str) -> bool:
    """Tell whether the body is there already. Its date does not show that: other names change it too."""
    tags = request.headers.get("if-none-match", "")
    return tags.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
