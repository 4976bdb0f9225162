"""Many rows of one table at once, at little more than the database's own work.

An insert through SQLAlchemy costs 10-20 µs a row before the database has seen it, more than all indexes of a
large table together. So PostgreSQL is given rows by COPY, and SQLite as plain tuples.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import cast

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from digest.domain.times import aware_utc
from digest.store.base import Base, UTCDateTime
from digest.store.database import writing

Values = tuple[object, ...]


_AT_ONCE = 5_000
"""Values in one statement of SQLite, of the 32,766 it takes: more are no quicker."""


def analyse(engine: Engine, *tables: type[Base]) -> None:
    """Have PostgreSQL count what its tables hold now, for its plans; SQLite chooses by the indexes alone.

    Its own worker does so a minute later at best. Until then it plans for the few rows there were, and reads
    whole tables that have grown large since.
    """
    if engine.dialect.name != "postgresql":
        return
    names = ", ".join(table.__tablename__ for table in tables)
    with writing(engine) as session:
        session.execute(text(f"ANALYZE {names}"))


def insert_rows(session: Session, table: type[Base], columns: Sequence[str], rows: Sequence[Values]) -> None:
    """Insert `rows`, each with a value for each of `columns`: numbers, text and None, or `as_stored` moments.

    Columns that are not named stay empty: Python's defaults of a column are not asked for.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _copy(connection, table.__tablename__, columns, rows)
        return
    most = _AT_ONCE // len(columns)
    for first in range(0, len(rows), most):
        _insert(connection, table.__tablename__, columns, rows[first : first + most])


def as_stored(session: Session, moment: datetime) -> str:
    """Return an aware moment as the text in which this database takes it in a row of `insert_rows`.

    Psycopg would write each of a million moments anew, which takes it 1.2 µs.
    """
    dialect = session.get_bind().dialect
    bind = UTCDateTime().dialect_impl(dialect).bind_processor(dialect)
    return aware_utc(moment).isoformat() if bind is None else str(bind(moment))


def _insert(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Values]) -> None:
    """Insert rows by one statement: one for each row takes SQLite's driver as long as the rows themselves.

    And as the driver lets go of Python's lock for each statement, another thread would hold it up each time.
    """
    marks = ", ".join([f"({', '.join('?' * len(columns))})"] * len(rows))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks}"  # noqa: S608
    connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows)))


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Values]) -> None:
    import psycopg  # for who is on PostgreSQL
    from psycopg import sql

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
