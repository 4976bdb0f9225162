"""Many rows of one table at once, at little more than the database's own work.

An insert through SQLAlchemy costs 10-20 µs a row before the database has seen it, more than all indexes of a
large table together. So PostgreSQL is given rows by COPY, and SQLite as plain tuples.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from digest.store.base import Base, UTCDateTime

Values = tuple[object, ...]


def insert_rows(session: Session, table: type[Base], columns: Sequence[str], rows: Sequence[Values]) -> None:
    """Insert `rows`, each with a value for each of `columns`: numbers, text and None, or `as_stored` moments.

    Columns that are not named stay empty: Python's defaults of a column are not asked for.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _copy(connection, table.__tablename__, columns, rows)
    elif rows:
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.__tablename__} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        connection.exec_driver_sql(statement, rows)


def as_stored(session: Session, moment: datetime) -> object:
    """Return an aware moment as this database keeps it in a row of `insert_rows`: SQLite as a text."""
    dialect = session.get_bind().dialect
    bind = UTCDateTime().dialect_impl(dialect).bind_processor(dialect)
    return moment if bind is None else bind(moment)


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Values]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    driver = cast(psycopg.Connection, connection.connection.driver_connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as exc:
        # As everything else that the driver raises: whoever waits for SQLAlchemy's own must see this, too.
        raise DBAPIError.instance(
            f"COPY {table}", None, exc, psycopg.Error, dialect=connection.dialect
        ) from exc
