"""What all that the API tells and takes has in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from fastapi import Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from digest.domain.errors import InvalidInput
from digest.web.api.cursors import Key, write_cursor

PATH = "/api/v1"

NUMBER_MOST = 2**31 - 1
"""Larger numbers do not fit the columns, and PostgreSQL would call them an error."""

Number = Annotated[int, Path(ge=1, le=NUMBER_MOST)]

Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64),
]
NewsletterName = Annotated[Slug, Path(description="The newsletter's short name.", examples=["harbour-week"])]

NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, StringConstraints(pattern=NO_CONTROLS, max_length=200)]
"""Words on one line."""
Prose = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$", max_length=5_000)]
"""Words that may hold line breaks."""
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""A file's text, read further where it is used."""
Language = Annotated[str, StringConstraints(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$", max_length=16)]
"""A language as mail and HTML name it (BCP 47), '' for none."""
Address = Annotated[str, StringConstraints(pattern=NO_CONTROLS, min_length=3, max_length=320)]
"""A mail address, checked further where it is stored."""
Url = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^https?://[!-~]+$")]


class Told(BaseModel):
    """What the API answers with. `unversioned` fields change by themselves, and are no part of its ETag."""

    model_config = ConfigDict(frozen=True)

    unversioned: ClassVar[frozenset[str]] = frozenset()


class Given(BaseModel):
    """What the API is sent. A field it does not know is an error: most likely a slip."""

    model_config = ConfigDict(extra="forbid")


One = TypeVar("One")
Row = TypeVar("Row")


class Listed(Told, Generic[One]):
    """A page of a list. With `next_cursor` as `cursor` the same request gives the next one; null: it ends."""

    items: list[One]
    next_cursor: str | None = None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Name the schema after what it lists."""
        return f"{params[0].__name__}List"


def required(text: str, what: str) -> str:
    """Return `text` without blanks around it. Raises `InvalidInput` when nothing is left."""
    if not text.strip():
        raise InvalidInput(f"{what} is empty")
    return text.strip()


def page(
    rows: Sequence[Row], shape: Callable[[Row], One], *, limit: int, key: Callable[[Row], Key]
) -> Listed[One]:
    """Return a page of `rows`, of which there is one more than `limit` when the list goes on."""
    shown = rows[:limit]
    goes_on = len(rows) > limit
    return Listed(
        items=[shape(row) for row in shown], next_cursor=write_cursor(key(shown[-1])) if goes_on else None
    )


def whole(rows: Sequence[Row], shape: Callable[[Row], One]) -> Listed[One]:
    """Return a list that is never long as one page."""
    return Listed(items=[shape(row) for row in rows])
