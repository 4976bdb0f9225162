import pytest
from sqlalchemy import Engine

from tests.gather.gathering import Gathering


@pytest.fixture
def gathering(engine: Engine) -> Gathering:
    return Gathering(engine)
