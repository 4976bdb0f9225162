"""Open the database, and begin transactions on it the way each kind wants."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from digest.domain.errors import Misconfigured
from digest.store.along import with_what_waits
from digest.store.base import Base
from digest.store.trouble import told

if TYPE_CHECKING:
    import psycopg

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for SQLite's single write lock: longer than any transaction of ours."""

_RESTED = 1.0
"""Seconds after which a connection is asked whether the server is still there."""

_RESTS_SINCE = "rests_since"
IDLE_TIMEOUT_MS = 300_000
"""How long a transaction on PostgreSQL may wait for its own process: as long as a lease."""

_USE = "use sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"


def open_engine(url: str, *, pool_size: int = 5, patience: float = 30.0) -> Engine:
    """Return an engine for a `sqlite:///` or `postgresql+psycopg://` address. Nothing is connected yet.

    `patience` is how many seconds to wait for one of at most `pool_size` + 10 connections. Raises
    `Misconfigured` for an address that is neither, without repeating it: it may hold a password.
    """
    parsed = _parsed(url)
    pool = {"pool_size": pool_size, "max_overflow": 10, "pool_timeout": patience}
    if parsed.drivername == "sqlite":
        return _sqlite_engine(create_engine(parsed, **pool))
    return _postgresql_engine(create_engine(parsed, **pool))


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as exc:
        raise Misconfigured(f"database_url: what it holds is not a database address; {_USE}") from exc
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise Misconfigured(f"database_url: '{parsed.drivername}' is not supported; {_USE}")
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise Misconfigured(f"database_url: SQLite in memory keeps nothing; {_USE}")
    return parsed


def _postgresql_engine(engine: Engine) -> Engine:
    """Have a connection that rested asked whether it still lives, before it is used again.

    Not each time, as `pool_pre_ping` does: a worker takes its connection hundreds of times a second, and
    asking is two of the seven round trips that a page of deliveries then takes.
    """

    @event.listens_for(engine, "connect")
    def configure(connection: psycopg.Connection[Any], _record: Any) -> None:
        # What a process has locked that is stopped in a transaction is free again after this.
        connection.autocommit = True
        connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}")
        connection.autocommit = False

    @event.listens_for(engine, "checkin")
    def rest(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_RESTS_SINCE] = monotonic()

    @event.listens_for(engine, "checkout")
    def wake(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        since = record.info.get(_RESTS_SINCE)
        if since is None or monotonic() - since < _RESTED:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as exc:
            raise InvalidatePoolError from exc

    return engine


def _sqlite_engine(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        # SQLAlchemy begins transactions itself below; sqlite3 must not guess.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        # An arm that a power cut undoes after its dot has left would be a duplicate.
        cursor.execute("PRAGMA synchronous=FULL")
        # What is removed is written over, so that a file holds nothing of a reader who was erased.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when another wrote between.
        reading = connection.get_execution_options().get("digest_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Give a session whose changes are committed together at the end, or not at all.

    Raises what `told` raises: `Unavailable` when the database cannot be reached, and `Overtaken` when
    somebody else has stored or removed meanwhile what this was about.
    """
    with (
        told(engine),
        Session(engine, expire_on_commit=False) as session,
        session.begin(),
        with_what_waits(session),
    ):
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session on one consistent view of the database that never waits for a writer."""
    with told(engine), engine.connect().execution_options(digest_reading=True) as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with Session(connection, expire_on_commit=False) as session:
            yield session


@contextmanager
def reading_beside(engine: Engine) -> Iterator[Session]:
    """Do as `reading`, on a connection of its own and none of the pool's, for who holds one of those already.

    Many who hold one of the pool's and wait there for a second would wait for each other.
    """
    own = open_engine(engine.url.render_as_string(hide_password=False), pool_size=1)
    try:
        with reading(own) as session:
            yield session
    finally:
        own.dispose()


def plan_by_values(session: Session) -> None:
    """Have PostgreSQL plan each statement of this transaction for its own values.

    From the tenth time on it may keep one plan for all values. Then it looks for each of a thousand
    addresses in every row of a table: 3 s instead of 10 ms.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


def insert_or_ignore(
    session: Session, table: type[Base], rows: Sequence[Mapping[str, object]] = ()
) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT of `rows` that leaves alone what is there already, also when it just came to be.

    Both databases know ON CONFLICT, each by itself. Rows by the hundred are given to `execute` instead: here
    they would be compiled into the statement, 0.1 ms for each.
    """
    insert = _insert(session, table).on_conflict_do_nothing()
    if not rows:
        return insert
    # One row as a list of one would be compiled anew each time: 0.4 ms.
    return insert.values(dict(rows[0]) if len(rows) == 1 else [dict(row) for row in rows])


def insert_or_replace(session: Session, table: type[Base], row: Mapping[str, object]) -> None:
    """Insert a row, or write it over the one of its primary key, also when that just came to be.

    `Session.merge` looks first, and fails when somebody else inserts between.
    """
    insert = _insert(session, table).values(dict(row))
    key = [column.name for column in inspect(table).primary_key]
    told = {name: insert.excluded[name] for name in row if name not in key}
    session.execute(insert.on_conflict_do_update(index_elements=key, set_=told))


def _insert(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    made = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return made(table)


@contextmanager
def without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction of its own in which SQLite checks no foreign keys.

    For migrations and for copying tables. SQLite changes a table by copying and dropping it, and the drop
    would take every row along that refers to the table: a longer column of newsletters would cost all
    subscriptions. It can only be told so before a transaction. PostgreSQL checks as ever.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        sqlite = connection.connection.cursor()
        sqlite.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
        finally:
            sqlite.execute("PRAGMA foreign_keys=ON")
