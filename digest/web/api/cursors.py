"""Where a list goes on: the key of the last thing shown, so that nothing is told twice or left out."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query

from digest.domain.errors import InvalidInput

LIMIT_MOST = 200

Limit = Annotated[
    int,
    Query(ge=1, le=LIMIT_MOST, description="How many at most.", examples=[50]),
]
After = Annotated[
    str | None,
    Query(
        alias="cursor",
        max_length=1_000,
        description="The `next_cursor` of the page before; without it, the first page.",
    ),
]

Key = tuple[str | int, ...]


def write_cursor(key: Key) -> str:
    """Return a cursor for what comes after the thing of this key. Its form is nobody's business."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type[str] | type[int]) -> Key | None:
    """Return the key in a cursor, None without one. Raises `InvalidInput` unless it is of these kinds."""
    if not cursor:
        return None
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, UnicodeError, ValueError, RecursionError) as exc:
        raise _not_ours(cursor) from exc
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise _not_ours(cursor)
    if any(abs(part) >= 2**63 if isinstance(part, int) else "\0" in part for part in key):
        raise _not_ours(cursor)
    return tuple(key)


def _not_ours(cursor: str) -> InvalidInput:
    return InvalidInput(
        f"cursor '{cursor[:80]}' is not of this list: send the 'next_cursor' of its page before, or none"
    )
