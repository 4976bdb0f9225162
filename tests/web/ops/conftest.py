from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digest.domain.accounts import Role
from tests.web.conftest import Fill
from tests.web.ops.world import populate_ops
from tests.web.site import Site


@pytest.fixture(scope="session")
def ops_database(filled_once: Fill) -> Path:
    return filled_once("ops.db", populate_ops)


@pytest.fixture
def ops(open_site: Callable[..., Site], ops_database: Path) -> Iterator[Site]:
    """The ops room as ops see it: see `tests/web/ops/world.py` for what has happened."""
    with open_site(ops_database).seen_by(Role.OPS) as site:
        yield site
