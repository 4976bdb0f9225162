from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from digest.admit import passwords
from digest.runtime import Runtime
from digest.settings import Settings
from tests.pipeline.press import Clock
from tests.servers.browser import ChromiumBrowser
from tests.servers.processes import free_port
from tests.shared import made_once
from tests.web.archived import populate_archive
from tests.web.people import CHEAP, sign_in_browser
from tests.web.site import Site, serving
from tests.web.world import NOW, contents, populate, populate_mailed

SECRET = "a key that signs nothing but links of these tests"


def runtime_on(database_url: str, port: int = 0, **settings: object) -> Runtime:
    chosen = {"public_url": f"http://127.0.0.1:{port}", "secret_key": SECRET, **settings}
    return Runtime(Settings(database_url=database_url, **chosen), clock=lambda: NOW)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def empty_database(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copy(migrated_file, tmp_path_factory.mktemp("web") / "empty.db")


Fill = Callable[[str, Callable[[Runtime], object]], Path]


@pytest.fixture(scope="session")
def filled_once(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Fill:
    """Return a database of this name with what a function puts into it, to be copied."""

    def fill_once(name: str, fill: Callable[[Runtime], object]) -> Path:
        def make(file: Path) -> None:
            runtime = runtime_on(f"sqlite:///{shutil.copy(migrated_file, file)}")
            fill(runtime)
            runtime.engine.dispose()  # the last connection puts the journal into the file

        return made_once(tmp_path_factory, name, make)

    return fill_once


@pytest.fixture(scope="session")
def filled_database(filled_once: Fill) -> Path:
    return filled_once("filled.db", populate)


@pytest.fixture(scope="session")
def still_site(filled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages of the sample newsletter for all tests that only look; in the end nothing has changed."""
    with served_to_look_at(filled_database, tmp_path_factory.mktemp("still")) as site:
        yield site


@pytest.fixture(scope="session")
def mailed_database(filled_once: Fill) -> Path:
    return filled_once("mailed.db", populate_mailed)


@pytest.fixture(scope="session")
def still_mailed_site(mailed_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """As `still_site`, when the mails of this week's issue have arrived."""
    with served_to_look_at(mailed_database, tmp_path_factory.mktemp("mailed")) as site:
        yield site


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Serve a copy of a database, this test's own, with these settings."""
    with ExitStack() as stack:
        yield lambda database, **settings: stack.enter_context(served_copy(database, tmp_path, **settings))


@contextmanager
def served_copy(database: Path, folder: Path, **settings: object) -> Iterator[Site]:
    port = free_port()
    file = folder / f"{port}.db"
    shutil.copy(database, file)
    runtime = runtime_on(f"sqlite:///{file}", port, **settings)
    with serving(runtime, port) as site:
        yield site
    runtime.engine.dispose()


@contextmanager
def served_to_look_at(database: Path, folder: Path) -> Iterator[Site]:
    with served_copy(database, folder) as site:
        before = contents(site.runtime.engine)
        yield site
        assert contents(site.runtime.engine) == before, "a test that only looked changed something"


@pytest.fixture
def site(open_site: Callable[..., Site], filled_database: Path) -> Site:
    """The pages of the sample newsletter: issue 1 is going out, issue 2 is a draft."""
    return open_site(filled_database)


@pytest.fixture(scope="session")
def archive_database(filled_once: Fill) -> Path:
    return filled_once("archive.db", populate_archive)


@pytest.fixture(scope="session")
def archive(archive_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The archive for all tests that only look; in the end nothing has changed."""
    with served_to_look_at(archive_database, tmp_path_factory.mktemp("archive")) as site:
        yield site


@pytest.fixture
def own_archive(open_site: Callable[..., Site], archive_database: Path) -> Site:
    """The archive for a test that changes it."""
    return open_site(archive_database)


@pytest.fixture
def empty_site(open_site: Callable[..., Site], empty_database: Path) -> Site:
    """The pages of a database with nothing in it."""
    return open_site(empty_database)


@pytest.fixture(scope="package", autouse=True)
def _passwords_cost_little() -> Iterator[None]:
    """What costs a guesser time would cost these tests the same; tests/admit hold what passwords cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", CHEAP)
        patch.setattr(passwords, "_NOBODYS", CHEAP.hash("a password that was thrown away"))
        yield


class DeskBrowser:
    """A browser whose pages are signed in as an admin."""

    def __init__(self, chromium: ChromiumBrowser) -> None:
        self._chromium = chromium

    @contextmanager
    def page(self, **look: Any) -> Iterator[Page]:
        with self._chromium.page(**look) as page:
            yield sign_in_browser(page)


@pytest.fixture(scope="session")
def browser(browser: ChromiumBrowser) -> DeskBrowser:
    return DeskBrowser(browser)


@pytest.fixture
def clock(site: Site, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock of the site that a test moves on."""
    clock = Clock(NOW)
    monkeypatch.setitem(site.runtime.__dict__, "clock", clock)
    return clock
