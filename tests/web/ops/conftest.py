from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digest.domain.accounts import Role
from tests.web.conftest import runtime_on
from tests.web.ops.world import populate_ops
from tests.web.site import Site


@pytest.fixture(scope="session")
def ops_database(empty_database: Path) -> Path:
    file = empty_database.with_name("ops.db")
    shutil.copy(empty_database, file)
    runtime = runtime_on(f"sqlite:///{file}")
    populate_ops(runtime)
    runtime.engine.dispose()
    return file


@pytest.fixture
def ops(open_site: Callable[..., Site], ops_database: Path) -> Iterator[Site]:
    """The ops room as ops see it: see `tests/web/ops/world.py` for what has happened."""
    with open_site(ops_database).seen_by(Role.OPS) as site:
        yield site
