"""What is written along with the first change of a piece of work: in that change's transaction, and once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session


class _Along:
    """Something to write; `is_written` once a transaction with it was committed."""

    def __init__(self, write: Callable[[Session], None]) -> None:
        self.write = write
        self.is_written = False


_waiting: ContextVar[_Along | None] = ContextVar("written_along", default=None)


@contextmanager
def written_along(write: Callable[[Session], None]) -> Iterator[None]:
    """Have the first transaction herein that changes anything do `write` as well, just before its commit.

    Neither is there without the other. Where nothing is changed, nothing is written; threads that are begun
    herein belong to it.
    """
    before = _waiting.set(_Along(write))
    try:
        yield
    finally:
        _waiting.reset(before)


@contextmanager
def with_what_waits(session: Session) -> Iterator[None]:
    """Write what waits, at the end of a transaction that changed anything. For `writing` alone."""
    along = _waiting.get()
    if along is None or along.is_written:
        yield
        return
    count = _count_of_changes(session.connection())

    def done(_session: Session) -> None:
        along.is_written = True

    yield
    if not session.in_transaction():
        return  # rolled back by itself, as a trial is
    session.flush()
    if count():
        along.write(session)
        event.listen(session, "after_commit", done, once=True)


def _count_of_changes(connection: Connection) -> Callable[[], int]:
    """Return what tells how many rows were changed over this connection since."""
    if connection.dialect.name == "sqlite":
        # A cursor of SQLite's does not know before its last row is read; the connection does.
        raw: Any = connection.connection.driver_connection
        before: int = raw.total_changes
        return lambda: raw.total_changes - before
    changed = 0

    def look(_on: Connection, cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        nonlocal changed
        if context.isinsert or context.isupdate or context.isdelete:
            changed += max(0, cursor.rowcount)

    event.listen(connection, "after_cursor_execute", look)
    return lambda: changed
