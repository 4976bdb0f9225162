import pytest
from sqlalchemy import Engine

from tests.store.sending import Sending


@pytest.fixture
def sending(engine: Engine) -> Sending:
    """An issue under way to three readers."""
    return Sending(engine, readers=3)
