"""Statements that one test had compiled are compiled for all.

A process of the product has one engine, whose cache of compiled SQL is soon full; a test has one for itself,
and would compile anew all it says: up to a third of its time.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from digest.store import database

_COMPILED: LRUCache[Any, Any] = LRUCache(2_000)


def share_compiled_statements() -> None:
    """Give every engine that `open_engine` makes from now on one cache.

    What is compiled is kept under its dialect, an object of each engine. All of a kind are alike here: they
    talk to the same library or server.
    """
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = _is_of_one_kind
        dialect.__hash__ = _of_its_kind
    create = database.create_engine

    def create_sharing(*args: Any, **options: Any) -> Engine:
        engine = create(*args, **options)
        engine.update_execution_options(compiled_cache=_COMPILED)
        return engine

    database.create_engine = create_sharing


def _is_of_one_kind(dialect: object, other: object) -> bool:
    return type(dialect) is type(other)


def _of_its_kind(dialect: object) -> int:
    return hash(type(dialect))
