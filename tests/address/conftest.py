import pytest
from sqlalchemy import Engine

from tests.address.audience import Audience


@pytest.fixture
def audience(engine: Engine) -> Audience:
    return Audience(engine)
