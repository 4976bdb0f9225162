from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from digest.demo.newsroom import Newsroom

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Paris")


@pytest.fixture(scope="session")
def newsroom() -> Iterator[Newsroom]:
    with Newsroom.start(now=NOW, zone=ZONE) as running:
        yield running
