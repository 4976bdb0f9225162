import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from digest.domain.errors import Conflict, Misconfigured, Unavailable
from digest.store.database import open_engine, reading, reading_beside, writing
from digest.store.newsletters import list_newsletters
from digest.store.suppressions import SuppressionRow, is_suppressed, suppress
from digest.store.trouble import told
from tests.servers.postgres import PostgresServer
from tests.stored import NOW, stored_newsletter


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("digest.db", "is not a database address"),
        ("mysql://digest:hunter2@db.example.org/digest", "'mysql' is not supported"),
        (
            "postgresql+asyncpg://digest:hunter2@db.example.org/digest",
            "'postgresql+asyncpg' is not supported",
        ),
        ("postgresql//digest:hunter2@db.example.org/digest", "is not a database address"),
        ("postgresql://digest:hunter2@db.example.org:port/digest", "is not a database address"),
        ("sqlite+pysqlcipher://:hunter2@/digest.db", "'sqlite+pysqlcipher' is not supported"),
        ("sqlite://", "keeps nothing"),
        ("sqlite:///:memory:", "keeps nothing"),
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_its_password(url: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(said)) as told:
        open_engine(url)
    assert "hunter2" not in str(told.value)
    assert "sqlite:///FILE" in str(told.value)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'no-such-folder' / 'digest.db'}")
    with pytest.raises(Unavailable, match=r"no-such-folder/digest\.db: unable to open"), reading(engine):
        pass


def test_what_fails_half_way_leaves_nothing(engine: Engine) -> None:
    def half() -> None:
        with writing(engine) as session:
            suppress(session, "anna@example.org", reason="bounce", detail="", now=NOW)
            raise RuntimeError("died")

    with pytest.raises(RuntimeError, match="died"):
        half()
    with reading(engine) as session:
        assert not is_suppressed(session, "anna@example.org")


def test_a_reader_sees_one_moment_while_others_write(engine: Engine) -> None:
    with reading(engine) as session:
        assert not is_suppressed(session, "anna@example.org")
        with writing(engine) as other:
            suppress(other, "anna@example.org", reason="bounce", detail="", now=NOW)
        assert not is_suppressed(session, "anna@example.org")
    with reading(engine) as session:
        assert is_suppressed(session, "anna@example.org")


def test_writers_that_read_first_wait_for_each_other(engine: Engine) -> None:
    """On SQLite a transaction that reads, and then writes after another wrote, would fail at once."""
    stored_newsletter(engine)
    together = threading.Barrier(4)

    def add(number: int) -> None:
        together.wait()
        with writing(engine) as session:
            list_newsletters(session)
            suppress(session, f"{number}@example.org", reason="bounce", detail="", now=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    with reading(engine) as session:
        assert all(is_suppressed(session, f"{number}@example.org") for number in range(4))


def test_two_that_store_the_same_at_once_are_a_conflict_to_the_later_one(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(SuppressionRow(email_key="a", reason="", detail="", created_at=NOW))
    with pytest.raises(Conflict, match="try again") as told, writing(engine) as session:
        session.add(SuppressionRow(email_key="a", reason="", detail="", created_at=NOW))
    assert isinstance(told.value.__cause__, IntegrityError)


def test_sqlite_reports_a_lock_that_stays_as_unavailable(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.store.database.BUSY_TIMEOUT_MS", 50)
    engine = open_engine(sqlite_url)
    with writing(engine) as session:
        suppress(session, "anna@example.org", reason="bounce", detail="", now=NOW)
        with pytest.raises(Unavailable, match="locked"), writing(engine) as other:
            suppress(other, "ben@example.org", reason="bounce", detail="", now=NOW)
    with writing(engine) as session:
        suppress(session, "ben@example.org", reason="bounce", detail="", now=NOW)


def test_a_pool_without_a_free_connection_is_unavailable(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url, pool_size=1, patience=0.05)
    with ExitStack() as busy:
        for _ in range(11):
            busy.enter_context(reading(engine))
        with pytest.raises(Unavailable, match="no free connection"), reading(engine):
            pass
    with reading(engine):
        engine.dispose()


def test_reading_beside_needs_no_free_connection_of_the_pool(database_url: str) -> None:
    engine = open_engine(database_url, pool_size=1, patience=0.05)
    with writing(engine) as session, ExitStack() as busy:
        suppress(session, "anna@example.org", reason="bounce", detail="", now=NOW)
        for _ in range(10):
            busy.enter_context(reading(engine))
        with reading_beside(engine) as beside:
            assert not is_suppressed(beside, "anna@example.org")
    with reading_beside(engine) as beside:
        assert is_suppressed(beside, "anna@example.org")
    engine.dispose()


def test_a_postgresql_that_only_reads_as_after_a_switch_over_is_unavailable(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    try:
        with writing(engine) as session:
            session.execute(text("SET TRANSACTION READ ONLY"))
            with pytest.raises(Unavailable, match="takes no changes"), told(engine):
                session.execute(text("CREATE TABLE anything (id int)"))
            session.rollback()
    finally:
        engine.dispose()


def test_a_postgresql_that_went_away_and_came_back_is_used_again() -> None:
    server = PostgresServer()
    try:
        engine = open_engine(server.start().url("postgres"))
        with reading(engine) as session:
            session.execute(text("SELECT 1"))
        server.crash()
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1"), reading(engine) as session:
            session.execute(text("SELECT 1"))
        server.start()
        with reading(engine) as session:
            assert session.scalar(text("SELECT 1")) == 1
        engine.dispose()
    finally:
        server.close()
