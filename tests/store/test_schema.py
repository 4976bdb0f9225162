from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Inspector, insert, inspect, select, text
from sqlalchemy.exc import StatementError

from digest.domain.errors import Misconfigured, Unavailable
from digest.store import schema
from digest.store.database import open_engine, reading, writing
from digest.store.newsletters import NewsletterRow, list_newsletters
from digest.store.schema import make_tables, migrate, require_schema, schema_problem
from digest.store.suppressions import SuppressionRow
from digest.store.tables import metadata
from tests.stored import stored_newsletter, stored_reader


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a schema."""
    is_file = request.param == "sqlite"
    engine = open_engine(
        f"sqlite:///{tmp_path / 'empty.db'}" if is_file else request.getfixturevalue("postgres_url")
    )
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_schema_goes_up_down_to_nothing_and_up_again(empty: Engine) -> None:
    migrate(empty)
    assert tables(empty) == set(metadata.tables)
    migrate(empty, to="base")
    assert tables(empty) == set()
    migrate(empty)
    assert tables(empty) == set(metadata.tables)


def test_tables_made_as_declared_are_those_that_migrations_make(sqlite_url: str, tmp_path: Path) -> None:
    migrated, made = open_engine(sqlite_url), open_engine(f"sqlite:///{tmp_path / 'made.db'}")
    make_tables(made, metadata)
    assert schema_problem(made) is None
    assert tables(made) == tables(migrated)
    for table in metadata.tables:
        assert described(inspect(made), table) == described(inspect(migrated), table)


def described(there: Inspector, table: str) -> object:
    columns = {(one["name"], str(one["type"]), one["nullable"]) for one in there.get_columns(table)}
    keys = sorted(repr(one) for one in (*there.get_foreign_keys(table), *there.get_unique_constraints(table)))
    # What a partial index covers is an object of its own each time.
    indexes = {(one["name"], *one["column_names"], one["unique"]) for one in there.get_indexes(table)}
    return columns, keys, indexes


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    stored_newsletter(engine)
    migrate(engine)
    with reading(engine) as session:
        assert [newsletter.slug for newsletter in list_newsletters(session)] == ["weekly"]


def test_two_that_migrate_together_both_end_well(empty: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: migrate(empty), range(2)))
    assert schema_problem(empty) is None


def test_the_migrated_schema_is_what_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        here = connection.dialect.name

        def is_here(thing: Any, *_: object) -> bool:
            only = getattr(thing, "_ddl_if", None)
            return only is None or only.dialect == here

        opts = {"compare_type": True, "include_object": is_here}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []


def test_a_database_without_a_schema_is_told_what_to_do(empty: Engine) -> None:
    with pytest.raises(Misconfigured, match=r"empty: run 'digest init'"):
        require_schema(empty)


def test_a_database_of_another_version_is_told_what_to_do(migrated: Engine) -> None:
    with migrated.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(Misconfigured, match=r"at schema 0000, this version wants \d+: run 'digest migrate'"):
        require_schema(migrated)


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    engine = open_engine("postgresql+psycopg://digest:hunter2@127.0.0.1:1/digest")
    for ask in (migrate, require_schema):
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1/digest") as told:
            ask(engine)
        assert "hunter2" not in str(told.value)


def test_a_migration_that_rebuilds_a_table_keeps_the_rows_that_hang_on_it(
    migrated: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsletter = stored_newsletter(migrated)
    stored_reader(migrated, newsletter, "anna@example.org")
    monkeypatch.setattr(schema, "_MIGRATIONS", with_one_more_migration(tmp_path))
    migrate(migrated)
    with migrated.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM subscriptions")) == 1
        assert connection.scalar(text("SELECT count(*) FROM topics")) == 4


def with_one_more_migration(tmp_path: Path) -> Path:
    """Return a copy of the migrations with one more, which SQLite can only do by copying a table."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for file in schema._MIGRATIONS.rglob("*.py"):
        (folder / file.relative_to(schema._MIGRATIONS)).write_text(file.read_text())
    (folder / "versions" / "9999_shorter.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        "revision = '9999'\n"
        f"down_revision = {newest()!r}\n"
        "def upgrade():\n"
        "    is_sqlite = op.get_bind().dialect.name == 'sqlite'\n"
        "    with op.batch_alter_table('newsletters', recreate='always' if is_sqlite else 'auto') as table:\n"
        "        table.alter_column('name', type_=sa.String(201))\n"
    )
    return folder


def newest() -> str:
    versions = schema._MIGRATIONS / "versions"
    return max(file.name[:4] for file in versions.glob("[0-9]*.py"))


def test_an_instant_comes_back_as_aware_utc(engine: Engine) -> None:
    tokyo = datetime(2026, 11, 23, 16, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    with writing(engine) as session:
        session.execute(insert(SuppressionRow).values(email_key="a", reason="", detail="", created_at=tokyo))
    with reading(engine) as session:
        found = session.scalars(select(SuppressionRow.created_at)).one()
    assert found == datetime(2026, 11, 23, 7, 0, 0, 123456, tzinfo=UTC)
    assert found.utcoffset() == timedelta(0)


def test_a_naive_datetime_is_refused(engine: Engine) -> None:
    naive = datetime(2026, 11, 23)
    with pytest.raises(StatementError, match="naive datetime"), writing(engine) as session:
        session.execute(insert(SuppressionRow).values(email_key="a", reason="", detail="", created_at=naive))
    with pytest.raises(StatementError, match="naive datetime"), reading(engine) as session:
        session.scalars(select(NewsletterRow).where(NewsletterRow.created_at < naive)).all()
