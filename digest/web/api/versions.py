"""Two who change one thing: whoever looked before the other's change is told, and overwrites nothing."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header

from digest.web.api.problems import CHANGED_SINCE, Refusal
from digest.web.api.shapes import Told

IfMatch = Annotated[
    str | None,
    Header(
        max_length=1_000,
        description="The `ETag` of what you looked at: when it was changed since, nothing is changed now.",
    ),
]


def etag_of(shape: Told) -> str:
    """Return the ETag of what the API tells: another as soon as anything of it is."""
    return f'"{hashlib.sha256(shape.model_dump_json().encode()).hexdigest()[:32]}"'


def require_unchanged(if_match: str | None, shape: Told) -> None:
    """Refuse when `if_match` names another version than `shape`, which nobody else changes meanwhile."""
    if if_match is None or if_match.strip() == "*":
        return
    if etag_of(shape) not in (tag.strip() for tag in if_match.split(",")):
        raise Refusal(CHANGED_SINCE, "somebody changed it since you looked: read it again, then change that")
