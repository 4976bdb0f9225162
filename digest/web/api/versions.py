"""Two who change one thing: whoever looked before the other is told what changed, and overwrites nothing."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from digest.web.api.problems import CHANGED_SINCE, Refusal, Wrong
from digest.web.api.shapes import Told

IfMatch = Annotated[
    str | None,
    Header(
        max_length=1_000,
        description="The `ETag` of what you looked at: when it was changed since, nothing is changed now.",
    ),
]

_MARK = 6
"""Hexadecimal digits for each field: one change in sixteen million would not be seen."""
_TOLD_MOST = 200


def etag_of(shape: Told) -> str:
    """Return the ETag of what the API tells: another as soon as anything of it is.

    It has a mark for each field, by which it is known later which of them were changed.
    """
    return f'"{"".join(_marks(shape).values())}"'


def require_unchanged(if_match: str | None, shape: Told) -> None:
    """Refuse when `if_match` names another version than `shape`, which nobody else changes meanwhile.

    What it says names the fields that were changed since, and what stands there now.
    """
    if if_match is None or if_match.strip() == "*":
        return
    seen = [tag.strip() for tag in if_match.split(",")]
    if etag_of(shape) in seen:
        return
    fields = _changed(seen[0].strip('"'), shape)
    what = " and ".join(filter(None, (", ".join(fields[:-1]), fields[-1]))) if fields else "it"
    were = "were" if len(fields) > 1 else "was"
    raise Refusal(
        CHANGED_SINCE,
        f"{what} {were} changed since you looked: read it again, then change that",
        errors=[Wrong(where=field, what=f"it is {_told(shape, field)} now") for field in fields],
    )


def _marks(shape: Told) -> dict[str, str]:
    values = shape.model_dump(mode="json", exclude=set(shape.unversioned))
    return {
        field: hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:_MARK]
        for field, value in values.items()
    }


def _changed(tag: str, shape: Told) -> list[str]:
    """Return the fields that are others than when `tag` was made; none for a tag of another kind."""
    marks = _marks(shape)
    if len(tag) != len(marks) * _MARK:
        return []
    places = range(0, len(tag), _MARK)
    return [
        field
        for (field, mark), place in zip(marks.items(), places, strict=True)
        if tag[place : place + _MARK] != mark
    ]


def _told(shape: BaseModel, field: str) -> str:
    told = json.dumps(shape.model_dump(mode="json")[field], ensure_ascii=False)
    return told if len(told) <= _TOLD_MOST else f"{told[:_TOLD_MOST]}…"
