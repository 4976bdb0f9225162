"""Real servers for every test that names one; each worker of pytest-xdist has its own.

A server starts when the first test asks for it and ends with the session. What a test gets is empty: a new
database, a flushed Redis, a sink without mail, a browser without a history.
"""

from __future__ import annotations

import gc
import logging
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from playwright.sync_api import Page
from psycopg import sql
from sqlalchemy import Engine

from digest.gather.parsing import starter
from digest.store.database import open_engine
from digest.store.schema import migrate
from digest.store.tables import metadata
from tests.disks import wait_for_no_disk
from tests.servers.browser import ChromiumBrowser
from tests.servers.postfix import PostfixSink
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.smtp_sink import SmtpSink
from tests.shared import made_once
from tests.statements import share_compiled_statements
from tests.templates import share_compiled_templates

share_compiled_statements()
share_compiled_templates()
wait_for_no_disk()

# To start what pages are read in takes 1.3 s: it stays from the first test that gathers to the last.
starter.KEPT_SECONDS = 3600.0

# The same examples on every machine and run, however slow: what fails here fails everywhere.
# To look for what no example has hit yet: pytest --hypothesis-profile=explore
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("explore", settings.get_profile("steady"), derandomize=False, max_examples=2_000)
settings.load_profile("steady")

# Whom a shell starts in the background is born deaf to Ctrl-C, and so would be all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Half a million objects come to be while tests are collected, and stay: none of them is garbage.
gc.disable()


_WAITING = {"demo", "e2e", "faults", "journeys", "worker"}
"""Folders whose tests wait for processes and browsers more than they compute."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what waits: in the end there would be nothing left to do meanwhile."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in _WAITING)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    # To look through all that some thousand tests have left cached takes 0.1 s, and finds next to nothing.
    gc.set_threshold(5_000, 20, 50)


@pytest.fixture(autouse=True)
def untouched_logs() -> Iterator[None]:
    """What a test or a fixture of many tests does to logging concerns no other: commands set it up."""
    _forget_logging()
    yield
    _forget_logging()


def _forget_logging() -> None:
    structlog.reset_defaults()
    root = logging.getLogger()
    # pytest's own stay. What a command adds writes to the output that was captured of one test.
    root.handlers[:] = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]
    root.setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for all tests; one that stops or crashes its server makes a `PostgresServer` of its own."""
    server = PostgresServer()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh empty database, as `postgresql+psycopg://…`."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the newest schema, to be copied: a migration takes longer than most tests."""
    return made_once(tmp_path_factory, "migrated.db", lambda file: _migrate(f"sqlite:///{file}"))


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> str:
    """The name of a PostgreSQL database with the newest schema that nobody uses, to be copied."""
    name = postgres_server.create_database()
    _migrate(postgres_server.url(name))
    return name


@pytest.fixture(scope="session")
def _migrated_database(postgres_server: PostgresServer, migrated_template: str) -> str:
    """The name of a PostgreSQL database with the newest schema, for all tests."""
    return postgres_server.create_database(template=migrated_template)


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresServer, migrated_template: str) -> Iterator[str]:
    """A PostgreSQL database of a test's own with the newest schema."""
    name = postgres_server.create_database(template=migrated_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with the newest schema."""
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'digest.db')}"


@pytest.fixture(scope="session")
def _emptier(postgres_server: PostgresServer, _migrated_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that stays, to empty the database with: one of its own would first learn of every table.

    That takes the server 13 ms, and what is emptied 2.
    """
    with postgres_server.connect(_migrated_database) as session:
        session.execute("SET lock_timeout = '60s'")
        yield session


_EMPTYING = sql.SQL("; ").join(
    sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)) for table in reversed(metadata.sorted_tables)
)
"""All in one message and one transaction: half of what each by itself takes."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database with the newest schema; a test that asks for it runs on both kinds.

    All tests share the one on PostgreSQL, emptied: to delete takes 3 ms, to copy a database 90.
    """
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name: str = request.getfixturevalue("_migrated_database")
    emptier: psycopg.Connection[Any] = request.getfixturevalue("_emptier")
    yield server.url(name)
    emptier.execute(_EMPTYING)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on `database_url`."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _one_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def redis_server(_one_redis: RedisServer) -> RedisServer:
    """A running, empty Redis. The test may stop, kill and start it."""
    if not _one_redis.is_running:
        _one_redis.start()
    _one_redis.flush()
    return _one_redis


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of a running, empty Redis, with its password."""
    return redis_server.url


@pytest.fixture
def smtp_sink(tmp_path: Path) -> Iterator[SmtpSink]:
    """Our own SMTP server, empty, with a log in `tmp_path`; see `tests.servers.faults` for what it can do."""
    with SmtpSink(log=tmp_path / "smtp-sink.jsonl") as sink:
        yield sink


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server that is away is tried as often as ever, but without the seconds between."""
    monkeypatch.setattr("digest.deliver.steps._PAUSE_SECONDS", 0.01)


@pytest.fixture
def postfix_sink() -> Iterator[PostfixSink]:
    """Postfix's smtp-sink, which accepts and forgets."""
    sink = PostfixSink()
    try:
        yield sink.start()
    finally:
        sink.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[ChromiumBrowser]:
    """A Chromium for all tests; `browser.page(width=375, dark=True)` opens a page of another kind."""
    chromium = ChromiumBrowser()
    yield chromium
    chromium.stop()


@pytest.fixture
def page(browser: ChromiumBrowser) -> Iterator[Page]:
    """A page of a fresh profile, light, 1280 × 800, which reaches nothing but the loopback."""
    with browser.page() as page:
        yield page
