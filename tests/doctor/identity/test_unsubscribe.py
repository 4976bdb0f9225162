"""One-click unsubscribe as the doctor sees it: Digest's own pages, and whatever may stand in their place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from digest.doctor.checks import Check
from digest.doctor.identity import unsubscribe
from digest.doctor.identity.unsubscribe import OUR_WORDS, look_at_unsubscribe
from digest.domain.errors import NoSuchHost
from digest.gather.fetching.fetch import Looked
from digest.runtime import Runtime
from digest.settings import Settings
from tests.servers.processes import free_port
from tests.web.site import serving

SECRET = "k" * 40


def look(public_url: str) -> Check:
    runtime = Runtime(Settings(public_url=public_url, secret_key=SECRET))  # type: ignore[arg-type]
    return asyncio.run(look_at_unsubscribe(runtime, seconds=10)).told()


@pytest.fixture(autouse=True)
def _as_if_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is judged like an address that readers reach."""
    monkeypatch.setattr(unsubscribe, "is_loopback", lambda _: False)


def test_our_own_pages_are_known_and_nothing_but_https_is_wanted(sqlite_url: str, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    runtime = Runtime(Settings(database_url=sqlite_url, public_url=url, secret_key=SECRET))  # type: ignore[arg-type]
    with serving(runtime, port):
        told = look(url)
    runtime.engine.dispose()
    assert told.found == f"{url}/unsubscribe/…; answers"
    assert told.advice == "Without https mail programs show no button: let public_url begin with https."


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"not found", "pass on /unsubscribe/ to Digest's pages"),
        (200, b"hello", "pass on /unsubscribe/ to Digest's pages"),
        (401, OUR_WORDS, "for everybody"),
        (403, b"", "for everybody"),
        (502, b"", "Start the pages"),
    ],
)
def test_what_answers_in_our_place_is_told(
    httpserver: HTTPServer, status: int, body: bytes, words: str
) -> None:
    httpserver.expect_request("/unsubscribe/nobodys").respond_with_data(body, status=status)
    told = look(httpserver.url_for("").rstrip("/"))
    assert not told.is_well
    assert f"answers {status}" in told.found
    assert words in told.advice


def test_a_redirect_is_one_that_mail_programs_do_not_follow(httpserver: HTTPServer) -> None:
    target = httpserver.url_for("/elsewhere")
    httpserver.expect_request("/unsubscribe/nobodys").respond_with_data(
        "", status=301, headers={"Location": target}
    )
    httpserver.expect_request("/elsewhere").respond_with_data(OUR_WORDS, status=404)
    told = look(httpserver.url_for("").rstrip("/"))
    assert f"redirects to {target}" in told.found
    assert "do not follow a redirect" in told.advice


def test_it_is_opened_and_never_posted_to(httpserver: HTTPServer) -> None:
    methods = []

    def note(request: Request) -> Response:
        methods.append(request.method)
        return Response(OUR_WORDS, status=404)

    httpserver.expect_request("/unsubscribe/nobodys").respond_with_handler(note)
    look(httpserver.url_for("").rstrip("/"))
    assert methods == ["GET"]


def test_pages_that_are_away_are_told_and_at_home_only_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"https://127.0.0.1:{free_port()}"
    away = look(url)
    assert not away.is_well
    assert "cannot be opened from here" in away.advice
    monkeypatch.setattr(unsubscribe, "is_loopback", lambda _: True)
    assert look(url).is_well


class _Nowhere:
    async def look(self, url: str, **_: object) -> Looked:
        raise NoSuchHost(f"{url}: no such host")


def test_a_host_without_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def nowhere(_: Runtime, *, seconds: float) -> AsyncIterator[_Nowhere]:
        yield _Nowhere()

    monkeypatch.setattr(Runtime, "own_looker", nowhere)  # no name server but ours is asked in tests
    told = look("https://digest.invalid")
    assert not told.is_well
    assert "digest.invalid" in told.advice
