"""Lists of `tag=value;`, which DKIM and DMARC records are written in (RFC 6376 §3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VALUE = re.compile(r"[\t -:<-~]*")

_SHOWN = 30
"""Characters of a stranger's record that are repeated to say which part is meant."""


@dataclass(frozen=True, slots=True)
class Tags:
    """A list's tags, in lower case and in their order, each with its value; and what could not be read.

    A tag that is there twice keeps its first value.
    """

    values: Mapping[str, str]
    problems: tuple[str, ...] = ()


def read_tags(text: str) -> Tags:
    """Read a list, however broken: what is no tag is told and left out."""
    values: dict[str, str] = {}
    problems = []
    parts = text.split(";")
    for at, part in enumerate(parts):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not part.strip() and at == len(parts) - 1:
            continue  # the last one may end in a semicolon
        if not equals or not _TAG.fullmatch(name):
            problems.append(f"'{shown(part.strip())}' is no tag=value")
        elif not _VALUE.fullmatch(value):
            problems.append(f"{name}= holds a character that no record may hold")
        elif name.lower() in values:
            problems.append(f"{name}= is there twice")
        else:
            values[name.lower()] = value
    return Tags(values, tuple(problems))


def shown(text: str) -> str:
    """Return the beginning of what a stranger wrote, on one line and enough to find it by."""
    return cut(text, _SHOWN)


def cut(text: str, limit: int) -> str:
    """Return a stranger's text within `limit` characters, and with nothing in it that breaks a line."""
    printable = "".join(one if one.isprintable() else "�" for one in text[: limit + 1])
    return printable if len(printable) <= limit else f"{printable[:limit]}…"
