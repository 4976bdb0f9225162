from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine

from digest.runtime import Runtime
from tests.pipeline.desk import Desk
from tests.pipeline.press import Clock, Press, make_runtime
from tests.servers.smtp_sink import SmtpSink


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    return "127.0.0.1", 0


@pytest.fixture(autouse=True)
def _no_spamassassin(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds, and is tried in tests of its own."""
    monkeypatch.setattr("digest.deliver.spam.shutil.which", lambda _name: None)


@pytest.fixture(autouse=True)
def _state_beside_the_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What senders note outside the database stays with the test."""
    monkeypatch.setenv("DIGEST_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def press(httpserver: HTTPServer) -> Press:
    return Press(httpserver)


@pytest.fixture
def runtime(engine: Engine, press: Press, smtp_sink: SmtpSink, clock: Clock) -> Iterator[Runtime]:
    runtime = make_runtime(engine, press, smtp_sink, clock)
    yield runtime
    runtime.engine.dispose()


@pytest.fixture
def desk(engine: Engine, runtime: Runtime, clock: Clock) -> Desk:
    return Desk(engine, runtime, clock)
