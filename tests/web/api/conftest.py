from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from digest.domain.accounts import Right
from digest.logs import set_up_logs
from digest.runtime import Runtime
from digest.store.database import writing
from digest.store.tokens import add_token
from digest.web.api import PATH
from digest.web.app import make_app
from tests.web.conftest import runtime_on
from tests.web.world import NOW

ALL = frozenset(Right)


@dataclass(frozen=True, slots=True)
class Api:
    """The API on `runtime`, called with a token that has every right unless another is given."""

    runtime: Runtime
    client: TestClient
    secret: str

    def call(self, method: str, path: str, *, secret: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secret if secret is None else secret}"}
        headers |= more.pop("headers", {})
        return self.client.request(method, PATH + path, headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        """What a call that goes well answers."""
        response = self.call("GET", path, **more)
        assert response.status_code == 200, response.text
        return response.json()

    def token(self, *rights: Right, days: float | None = 1) -> str:
        """A new token with these rights, all without any."""
        return token_for(self.runtime, frozenset(rights) or ALL, days=days)


def token_for(runtime: Runtime, rights: frozenset[Right], *, days: float | None = 1) -> str:
    with writing(runtime.engine) as session:
        _, secret = add_token(
            session,
            name="tests",
            rights=rights,
            by="Ada",
            now=NOW,
            expires_at=None if days is None else NOW + timedelta(days=days),
        )
    return secret


def problem(response: Any, status: int, code: str) -> str:
    """Check that an answer is a problem of this kind, and return what it says."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert (told["status"], told["code"]) == (status, code)
    assert told["type"].endswith(f"{PATH}/reference#{code}")
    assert told["title"]
    detail: str = told["detail"]
    assert detail
    return detail


def open_api(file: Path, **settings: object) -> Api:
    runtime = runtime_on(f"sqlite:///{file}", **settings)
    client = TestClient(make_app(runtime), raise_server_exceptions=False)
    return Api(runtime, client, token_for(runtime, ALL))


@pytest.fixture(scope="module")
def still_api(filled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API of the sample newsletter for tests that change nothing but tokens."""
    api = open_api(Path(shutil.copy(filled_database, tmp_path_factory.mktemp("api") / "still.db")))
    yield api
    api.runtime.engine.dispose()


@pytest.fixture
def plain_logs() -> None:
    """Logs as a service writes them: a traceback in colours, with every value in it, takes ten seconds."""
    set_up_logs(level="info", as_json=True)


@pytest.fixture(scope="session")
def _shared_api(filled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One application for all tests: to make one takes longer than most of them."""
    file = Path(shutil.copy(filled_database, tmp_path_factory.mktemp("api") / "shared.db"))
    api = open_api(file, api_requests_per_minute=1_000_000)
    yield api
    api.runtime.engine.dispose()


@pytest.fixture
def api(_shared_api: Api, filled_database: Path) -> Api:
    """The API of the sample newsletter as it was: issue 1 is going out, issue 2 is a draft."""
    runtime = _shared_api.runtime
    runtime.engine.dispose()  # the last connection puts the journal into the file
    file = Path(str(runtime.engine.url.database))
    assert not file.with_name(f"{file.name}-wal").exists(), "a test left the database open"
    shutil.copy(filled_database, file)
    return replace(_shared_api, secret=token_for(runtime, ALL))
