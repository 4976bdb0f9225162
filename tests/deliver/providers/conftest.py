"""A server of each provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deliver.ways import DIALECTS
from tests.servers.provider_server import ProviderServer


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.scheme)
def server(request: pytest.FixtureRequest) -> Iterator[ProviderServer]:
    with ProviderServer(request.param()) as found:
        yield found
