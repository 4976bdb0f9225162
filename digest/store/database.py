"""Open the database, and begin transactions on it the way each kind wants."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session

from digest.domain.errors import Misconfigured
from digest.store.trouble import told

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for SQLite's single write lock: longer than any transaction of ours."""


def open_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Return an engine for a `sqlite:///` or `postgresql+psycopg://` address. Nothing is connected yet.

    Raises `Misconfigured` for an address that is neither.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername == "postgresql+psycopg":
            return create_engine(parsed, pool_size=pool_size, max_overflow=10, pool_pre_ping=True)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite_engine(create_engine(parsed, pool_size=pool_size, max_overflow=10))
    except (ArgumentError, NoSuchModuleError) as exc:
        # Not repeated here: what cannot be read as an address may hold a password anywhere.
        raise Misconfigured(
            "database_url: what it holds is not a database address; use sqlite:///FILE or "
            "postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        ) from exc
    raise Misconfigured(
        f"database_url: '{parsed.drivername}' is not supported; use sqlite:///FILE or "
        "postgresql+psycopg://USER:PASSWORD@HOST/NAME"
    )


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

    Raises what `digest.store.trouble.told` raises.
    """
    with told(engine), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session on one consistent view of the database that never waits for a writer."""
    with told(engine), engine.connect().execution_options(digest_reading=True) as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with Session(connection, expire_on_commit=False) as session:
            yield session
