from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.world import populate_house, shape_and_share
from tests.web.conftest import Fill, served_copy
from tests.web.conftest import _passwords_cost_little as _passwords_cost_little
from tests.web.conftest import empty_database as empty_database
from tests.web.conftest import filled_database as filled_database
from tests.web.conftest import filled_once as filled_once
from tests.web.conftest import open_site as open_site
from tests.web.conftest import site as site
from tests.web.site import Site


@dataclass(frozen=True, slots=True)
class House:
    """The newsroom of `world.py`, served; and the tokens of its links by the beginning of their addresses."""

    site: Site
    tokens: Mapping[str, str]


@pytest.fixture(scope="session")
def house(filled_once: Fill, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A newsroom in the middle of its week, for all tests that only look."""
    database = filled_once("house.db", populate_house)
    with served_copy(database, tmp_path_factory.mktemp("house")) as site:
        yield House(site, shape_and_share(site))


@pytest.fixture(scope="session")
def bare(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages on the first day, when nothing is there but an admin."""
    with served_copy(empty_database, tmp_path_factory.mktemp("bare")) as site:
        yield site
