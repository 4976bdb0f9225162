from __future__ import annotations

import asyncio
import os
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from playwright.sync_api import Error, Page
from pytest_httpserver import HTTPServer

from tests.servers.browser import ChromiumBrowser
from tests.servers.postfix import PostfixSink
from tests.servers.postgres import PostgresServer
from tests.servers.processes import MissingProgram, NotReady, ServerProcess, free_port, is_listening, program
from tests.servers.redis import NEVER_AGAIN, RedisServer
from tests.waiting import PATIENCE, wait_until


def dsn(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_database(postgres_url: str, turn: int) -> None:
    with psycopg.connect(dsn(postgres_url)) as connection:
        connection.execute("CREATE TABLE things (name text)")


def test_a_database_can_be_copied_from_a_template(postgres_server: PostgresServer, postgres_url: str) -> None:
    with psycopg.connect(dsn(postgres_url)) as connection:
        connection.execute("CREATE TABLE things AS SELECT 7 AS number")
    name = postgres_server.create_database(template=postgres_url.rsplit("/", 1)[1])
    with psycopg.connect(dsn(postgres_server.url(name))) as connection:
        assert connection.execute("SELECT number FROM things").fetchone() == (7,)
    postgres_server.drop_database(name)


def test_a_durable_postgres_keeps_what_it_committed_before_a_crash() -> None:
    server = PostgresServer(durable=True)
    try:
        server.start()
        with server.connect() as session:
            session.execute("CREATE TABLE things AS SELECT 7 AS number")
            server.crash()
        assert not server.is_running
        server.start()
        with server.connect() as session:
            assert session.execute("SELECT number FROM things").fetchone() == (7,)
    finally:
        server.close()


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_redis(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys() == []
        client.set("seen", turn)


def test_redis_wants_its_password(redis_server: RedisServer) -> None:
    with (
        redis.Redis(port=redis_server.port, retry=NEVER_AGAIN) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_redis_can_be_killed_and_started_on_its_port(redis_server: RedisServer) -> None:
    redis_server.client().set("seen", 1)
    redis_server.kill()
    assert not is_listening(redis_server.port)
    redis_server.start()
    assert redis_server.client().get("seen") is None


def test_redis_with_its_log_on_remembers_across_a_kill() -> None:
    server = RedisServer(appendonly=True).start()
    try:
        server.client().set("seen", 1)
        server.kill()
        server.start()
        assert server.client().get("seen") == b"1"
    finally:
        server.close()


def test_postfix_own_sink_takes_mail(postfix_sink: PostfixSink) -> None:
    with smtplib.SMTP("127.0.0.1", postfix_sink.port, timeout=PATIENCE) as connection:
        assert connection.sendmail("a@example.com", ["b@example.org"], b"Subject: x\r\n\r\nHello.\r\n") == {}


def test_a_page_shows_what_a_server_on_the_loopback_says(page: Page, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("<h1>Weekly</h1>", content_type="text/html")
    page.goto(httpserver.url_for("/"))
    assert page.get_by_role("heading").inner_text() == "Weekly"


@pytest.mark.parametrize("host", ["example.org", "192.0.2.1", "[2001:db8::1]"])
def test_a_page_reaches_nothing_beyond_the_loopback(page: Page, host: str) -> None:
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto(f"http://{host}/")


def test_another_event_loop_can_run_between_two_pages(browser: ChromiumBrowser) -> None:
    with browser.page(width=375, dark=True) as page:
        assert page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [
            375,
            True,
        ]
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
    with browser.page() as page:
        assert page.evaluate("innerWidth") == 1280


def test_a_server_that_ends_at_once_shows_what_it_printed(tmp_path: Path) -> None:
    process = ServerProcess(["sh", "-c", "echo out of luck; exit 3"], output=tmp_path / "log")
    with pytest.raises(NotReady, match="out of luck"):
        process.wait_until(lambda: False)


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(MissingProgram, match=r"no-such-server is not installed: .* package nothing-at-all"):
        program("no-such-server", package="nothing-at-all")


SERVERS = {
    "postgres": "from tests.servers.postgres import PostgresServer as Server",
    "redis": "from tests.servers.redis import RedisServer as Server",
    "smtp-sink": "from tests.servers.postfix import PostfixSink as Server",
}


@pytest.mark.parametrize("name", SERVERS)
def test_no_server_outlives_tests_that_are_killed(name: str, open_folder: Path) -> None:
    script = f"{SERVERS[name]}\nimport time\nprint(Server().start().port, flush=True)\ntime.sleep(600)"
    environment = {**os.environ, "TMPDIR": str(open_folder)}
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    with parent:
        port = int(parent.stdout.readline())
        assert is_listening(port)
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_listening(port))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """For what killed servers leave behind: one that runs as nobody cannot enter pytest's own folders."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_free_port_is_free_and_kept_for_whom_it_was_asked_for() -> None:
    port = free_port()
    assert not is_listening(port)
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)):
        assert is_listening(port)
