"""Rows handed to a statement whole: one parameter a column, one statement however many rows there are.

A statement a row costs PostgreSQL as much again as the change it makes, and an IN list is compiled anew for
each length.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Connection, FromClause, Text, bindparam, func, select
from sqlalchemy.types import TypeEngine

_NAME = "given"

Columns = Mapping[str, TypeEngine[Any]]
"""The columns by name. What they hold is numbers, text and None: SQLite gets them as JSON."""


def given(dialect: str, columns: Columns) -> FromClause:
    """Return rows with these columns to join with; `values_given` says what to execute the statement with."""
    if dialect == "postgresql":
        arrays = [bindparam(f"{_NAME}_{name}", type_=ARRAY(kind)) for name, kind in columns.items()]
        return func.unnest(*arrays).table_valued(*columns, name=_NAME).render_derived()
    row = func.json_each(bindparam(_NAME, type_=Text)).table_valued("value", name="one").c.value
    read = enumerate(columns.items())
    return select(
        *(func.json_extract(row, f"$[{at}]", type_=kind).label(name) for at, (name, kind) in read)
    ).subquery(_NAME)


def values_given(
    connection: Connection, columns: Columns, rows: Iterable[Sequence[object]]
) -> dict[str, object]:
    """Return the parameters that hold `rows`, each a value a column, in the order of `columns`."""
    listed = list(rows)
    if connection.dialect.name == "postgresql":
        return {f"{_NAME}_{name}": [row[at] for row in listed] for at, name in enumerate(columns)}
    return {_NAME: json.dumps(listed, ensure_ascii=False)}
