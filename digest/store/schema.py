"""Bring a database to the schema this version of Digest works with, and tell whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from digest.domain.errors import Misconfigured, Unavailable
from digest.store.database import without_foreign_keys

_MIGRATIONS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x64696765
"""Two containers that start together must not migrate together."""


def migrate(engine: Engine, *, to: str = "head") -> None:
    """Bring the database to revision `to`, `base` meaning empty. Raises `Unavailable` when it is away."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    try:
        with without_foreign_keys(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            config.attributes["connection"] = connection
            (command.downgrade if to == "base" else command.upgrade)(config, to)
    except OperationalError as exc:
        raise Unavailable(
            f"database {engine.url.render_as_string()} is not reachable: {exc.orig}\n"
            "Check database_url and that the server is up."
        ) from exc


def schema_problem(engine: Engine) -> str | None:
    """Return in words what is wrong with the database's schema, or None when it is this version's."""
    newest = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == newest:
        return None
    if current is None:
        return "the database is empty: run 'digest init'"
    return f"the database is at schema {current}, this version wants {newest}: run 'digest migrate'"


def require_schema(engine: Engine) -> None:
    """Raise `Misconfigured` unless the database has this version's schema, `Unavailable` when it is away."""
    try:
        problem = schema_problem(engine)
    except OperationalError as exc:
        reason = str(exc.orig).strip().splitlines()[0]
        raise Unavailable(
            f"database {engine.url.render_as_string()}: {reason}. Check database_url, then 'digest doctor'."
        ) from exc
    if problem:
        raise Misconfigured(f"{engine.url.render_as_string()}: {problem}")
