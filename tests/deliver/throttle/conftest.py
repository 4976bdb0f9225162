"""A migrated, empty database of each kind, and issues that are due at a moment of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from digest.store.database import open_engine


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a database that waits for no disk; `database_url` has it for a second one."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()
