from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from digest.store.database import open_engine
from tests.servers.model_server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """A migrated database on SQLite that waits for no disk; `tests/store` asks both kinds."""
    engine = open_engine(sqlite_url)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    yield engine
    engine.dispose()
