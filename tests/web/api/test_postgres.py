"""The API on PostgreSQL, where many write at once: keys, versions and lists hold there, too."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from digest.web.app import make_app
from tests.servers.postgres import PostgresServer
from tests.web.api.conftest import ALL, Api, problem, token_for
from tests.web.conftest import runtime_on
from tests.web.world import DRAFT, SENDING, populate

READERS = "/newsletters/saturday/subscribers"
GUS = {"email": "gus@example.org", "follows": ["space"]}


@pytest.fixture(scope="module")
def api(postgres_server: PostgresServer, migrated_template: str) -> Iterator[Api]:
    name = postgres_server.create_database(template=migrated_template)
    runtime = runtime_on(postgres_server.url(name), api_requests_per_minute=1_000_000)
    populate(runtime)
    client = TestClient(make_app(runtime), raise_server_exceptions=False)
    yield Api(runtime, client, token_for(runtime, ALL))
    runtime.engine.dispose()
    postgres_server.drop_database(name)


def test_lists_go_on_by_their_keys(api: Api) -> None:
    for path in (READERS, "/newsletters/saturday/articles", "/issues", "/suppressions", "/runs"):
        whole = api.get(f"{path}?limit=200")["items"]
        found, cursor = [], None
        while True:
            page = api.get(path, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
            found += page["items"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert found == whole, path


def test_two_at_the_same_moment_do_it_once(api: Api) -> None:
    def post(_: int) -> int:
        headers = {"Idempotency-Key": "one"}
        return int(api.call("POST", READERS, json=GUS, headers=headers).status_code)

    with ThreadPoolExecutor(4) as pool:
        statuses = set(pool.map(post, range(4)))
    assert 201 in statuses
    assert statuses <= {201, 409}
    assert len(api.get(READERS, params={"email": "gus@example.org"})["items"]) == 1


def test_of_two_who_looked_at_the_same_one_is_told(api: Api) -> None:
    for path, field in ((f"{READERS}/1", "name"), (f"/issues/{DRAFT}", "subject")):
        etag = api.call("GET", path).headers["etag"]

        def change(text: str, path: str = path, field: str = field, etag: str = etag) -> int:
            response = api.call("PATCH", path, json={field: text}, headers={"If-Match": etag})
            return int(response.status_code)

        with ThreadPoolExecutor(3) as pool:
            assert sorted(pool.map(change, ("one", "two", "three"))) == [200, 412, 412], path


def test_a_pause_and_its_announcement_are_there_together(api: Api) -> None:
    api.call("POST", "/endpoints", json={"url": "https://hooks.example.org/", "kinds": ["issue.paused"]})
    assert api.call("POST", f"/issues/{SENDING}/pause").status_code == 200
    problem(api.call("POST", f"/issues/{SENDING}/pause"), 409, "conflict")
    assert [call["kind"] for call in api.get("/endpoints/1/calls")["items"]] == ["issue.paused"]
