from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from digest.store.database import open_engine
from tests.store.sending import Sending


@pytest.fixture(params=["sqlite_url", "migrated_postgres_url"], ids=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database of the test's own with the newest schema, to be spoilt."""
    engine = open_engine(request.getfixturevalue(request.param))
    yield engine
    engine.dispose()


@pytest.fixture
def sending(engine: Engine) -> Sending:
    """An issue under way to three readers."""
    return Sending(engine, readers=3)
