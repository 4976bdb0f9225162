"""What a database driver raises, told in words: which database, what was wrong, what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from digest.domain.errors import DiskFull, InvalidInput, Misconfigured, Overtaken, Unavailable


@contextmanager
def told(engine: Engine) -> Iterator[None]:
    """Raise `DigestError`s in place of what the driver raises.

    `Unavailable` when the database cannot be reached or used now, `DiskFull` of that when it has no room,
    `Misconfigured` when a file is no database, `InvalidInput` when a value does not fit its column,
    `Overtaken` when somebody else has stored or removed meanwhile what this was about.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as exc:
        if _is_full(exc):
            raise DiskFull(f"database {named(engine)}: {_first_line(exc)}. {_which_disk(engine)}") from exc
        raise Unavailable(f"database {named(engine)}: {_reason(engine, exc)}") from exc
    except PoolTimeout as exc:
        raise Unavailable(f"database {named(engine)}: no free connection; this process is too busy") from exc
    except IntegrityError as exc:
        raise Overtaken(
            "somebody else changed the same thing at the same moment, so nothing was stored: try again "
            f"({_first_line(exc)})"
        ) from exc
    except DataError as exc:
        raise InvalidInput(
            f"the database takes no such value: {_first_line(exc)}; nothing was changed"
        ) from exc
    except DatabaseError as exc:
        if getattr(exc.orig, "sqlstate", "") in _STANDS_STILL:
            raise Unavailable(
                f"database {named(engine)}: {_first_line(exc)}. It takes no changes: is it a replica, or "
                "being switched over? What is waiting goes on by itself when it does."
            ) from exc
        if type(exc.orig) is not sqlite3.DatabaseError:
            raise
        raise Misconfigured(
            f"database {named(engine)}: {_first_line(exc)}. Let database_url name another file, or put "
            "back a copy of this one."
        ) from exc


def named(engine: Engine) -> str:
    """Return the database's address as people may read it: without its password."""
    return engine.url.render_as_string(hide_password=True)


def sqlite_file(engine: Engine) -> Path | None:
    """Return the file a SQLite database is kept in; None for one in memory, and for PostgreSQL."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def _reason(engine: Engine, exc: DBAPIError) -> str:
    if getattr(exc.orig, "sqlstate", "") == _DEADLOCK:
        return f"{_first_line(exc)}: others changed the same things in another order. Try again."
    file = sqlite_file(engine)
    if file is None:
        return f"{_first_line(exc)}. Check that the server is up and what database_url says."
    if not file.parent.is_dir():
        folder = file.parent.resolve()
        return f"{_first_line(exc)}: there is no folder {folder}. Make it, or change database_url."
    return f"{_first_line(exc)}. 'digest doctor' looks at file and disk."


_STANDS_STILL = frozenset({"25006", "25P03"})
"""What the driver calls internal: a server that only reads, as one does that is not the primary any more, and
a transaction that was ended because its client stood still."""

_DEADLOCK = "40P01"
_SQLITE_FULL, _PG_DISK_FULL = 13, "53100"


def _is_full(exc: DBAPIError) -> bool:
    code = getattr(exc.orig, "sqlite_errorcode", 0) & 0xFF
    return code == _SQLITE_FULL or getattr(exc.orig, "sqlstate", "") == _PG_DISK_FULL


def _which_disk(engine: Engine) -> str:
    file = sqlite_file(engine)
    if file is None:
        return "Make room on the disk of the PostgreSQL server: what is waiting goes on by itself then."
    return f"Make room on the disk of {file.parent.resolve()}: what is waiting goes on by itself then."


def _first_line(exc: DBAPIError) -> str:
    said = str(exc.orig).strip()
    return said.splitlines()[0].rstrip(".") if said else type(exc.orig).__name__
