"""Lists of a server elsewhere, as the command here shows its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from digest.cli.output import show_json, show_table


def show_list(found: list[Any], columns: Mapping[str, str], *, as_json: bool, empty: str) -> None:
    """Print what the API told: these columns, each of the field it names, or all of it as JSON."""
    if as_json:
        show_json(found)
        return
    rows = [[cell(one[field]) for field in columns.values()] for one in found]
    show_table(tuple(columns), rows, empty=empty)


def cell(value: object) -> object:
    """Return a value as it stands in a table."""
    return ", ".join(map(str, value)) if isinstance(value, list) else value
