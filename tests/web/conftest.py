from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.database import open_engine
from digest.store.schema import migrate
from tests.servers.processes import free_port
from tests.web.site import Site, serving
from tests.web.world import NOW, populate

SECRET = "a key that signs nothing but links of these tests"


def runtime_on(database_url: str, port: int = 0, **settings: object) -> Runtime:
    """A runtime on this database, whose schema is made when it is empty."""
    engine = open_engine(database_url)
    migrate(engine)
    engine.dispose()
    chosen = {"public_url": f"http://127.0.0.1:{port}", "secret_key": SECRET, **settings}
    return Runtime(Settings(database_url=database_url, **chosen), clock=lambda: NOW)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def filled_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("web") / "filled.db"
    runtime = runtime_on(f"sqlite:///{file}")
    populate(runtime)
    runtime.engine.dispose()  # the last connection puts the journal into the file
    return file


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Serve a database of this test's own: a copy of `copy_of`, or an empty one."""
    with ExitStack() as stack:

        def opened(copy_of: Path | None = None, **settings: object) -> Site:
            port = free_port()
            file = tmp_path / f"{port}.db"
            if copy_of:
                shutil.copy(copy_of, file)
            return stack.enter_context(serving(runtime_on(f"sqlite:///{file}", port, **settings), port))

        yield opened


@pytest.fixture
def site(open_site: Callable[..., Site], filled_database: Path) -> Site:
    """The pages of the sample newsletter: issue 1 is going out, issue 2 is a draft."""
    return open_site(filled_database)


@pytest.fixture
def empty_site(open_site: Callable[..., Site]) -> Site:
    """The pages of a database with nothing in it."""
    return open_site()
