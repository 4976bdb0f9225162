"""What a line of a list says of somebody, in the words of no program, and how a program's lines are told."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Fields = Mapping[str, str]
"""A line's fields by their columns, whose names are in lower case."""


ATTRIBUTE = "attribute."
"""What the name of a column begins with that holds an attribute: its key follows."""


class Standing(StrEnum):
    """How somebody stands with the newsletter, as the list has it."""

    WANTS = "wants"
    PAUSED = "paused"
    LEFT = "left"
    UNCONFIRMED = "unconfirmed"
    """They never confirmed that it was they who signed up."""
    NEVER = "never"
    """Mail to them came back, or they complained: nobody may mail them."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says, as it stands there: '' is nothing said.

    `topics` are short names of this newsletter's topics with `;` or `,` between, None where the list knows
    of none; `tags` are another program's words. `since` is when they asked for it, `left` when they left,
    `ip` where they asked from, `why` what a list says about those it never mails. `attributes` are further
    values by their keys.
    """

    email: str
    standing: Standing = Standing.WANTS
    name: str = ""
    language: str = ""
    timezone: str = ""
    cadence: str = ""
    max_items: str = ""
    send_at: str = ""
    text_only: str = ""
    paused_until: str = ""
    topics: str | None = None
    tags: tuple[str, ...] = ()
    since: str = ""
    left: str = ""
    ip: str = ""
    why: str = ""
    attributes: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """How one program writes its lists.

    A file is of it when it has all columns of `marks` and one of `signs`, where there are any. `read` takes
    a line and the further columns that hold tags. Raises `InvalidInput` for a line that cannot be understood.
    """

    name: str
    marks: frozenset[str]
    read: Callable[[Fields, Collection[str]], Said]
    signs: frozenset[str] = frozenset()
    is_own: bool = False
    """Ours: a wrong zone or moment is the writer's slip and is told; elsewhere it is only not known."""

    def wrote(self, header: Collection[str]) -> bool:
        """Whether a file with these columns is of this program."""
        return self.marks <= set(header) and (not self.signs or not self.signs.isdisjoint(header))


def attributes_of(fields: Fields) -> dict[str, str]:
    """Return the values of a line's columns that are attributes, by their keys."""
    return {
        column.removeprefix(ATTRIBUTE): value
        for column, value in fields.items()
        if column.startswith(ATTRIBUTE) and value
    }


def first_of(fields: Fields, *columns: str) -> str:
    """Return the first of these columns that says something, '' when none does."""
    return next((fields[column] for column in columns if fields.get(column)), "")


def tags_of(fields: Fields, columns: Collection[str]) -> tuple[str, ...]:
    """Return the tags in these columns, where they are there.

    Commas separate them, or semicolons where there is no comma; one that holds a comma stands in quotes.
    """
    return tuple(tag for column in columns for tag in _parted(fields.get(column, "")))


def _parted(field: str) -> list[str]:
    separator = "," if "," in field else ";"
    parted = next(csv.reader([field], delimiter=separator, skipinitialspace=True), [])
    return [tag.strip() for tag in parted if tag.strip()]
