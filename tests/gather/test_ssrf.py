"""No request leaves for an inner address: counted where sockets are opened, with controls that do connect."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import httpcore2
import httpx2
import pytest
from pytest_httpserver import HTTPServer

from digest.domain.errors import Refused, Unavailable
from digest.gather.fetch import HttpFetcher

CONTACT = "https://digest.example/about"

# Ways to write an inner address over which resolvers, URL parsers and address libraries differ, one a line.
FORMS = (Path(__file__).parent / "data" / "inner-urls.txt").read_text("utf-8").splitlines()


class CountingBackend(httpcore2.AsyncNetworkBackend):
    """Opens real connections to one server, and only notes all others."""

    def __init__(self, open_port: int | None = None) -> None:
        self.attempts: list[tuple[str, int]] = []
        self._open_port = open_port
        self._real = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        if port == self._open_port:
            return await self._real.connect_tcp(host, port, timeout, local_address, socket_options)
        self.attempts.append((host, port))
        raise httpcore2.ConnectError("only counted")


async def outcomes(
    urls: Iterable[str], backend: CountingBackend, allow: Iterable[str] = ()
) -> dict[str, Exception]:
    """Fetch every URL and return how each failed."""
    failed: dict[str, Exception] = {}
    async with HttpFetcher(contact=CONTACT, allow=frozenset(allow), backend=backend) as fetcher:
        for url in urls:
            try:
                await fetcher.fetch(url)
            except (Refused, Unavailable) as exc:
                failed[url] = exc
    return failed


def test_the_table_is_long_enough_and_says_nothing_twice() -> None:
    assert len(set(FORMS)) == len(FORMS) >= 60


def test_no_form_of_an_inner_address_is_connected_to() -> None:
    backend = CountingBackend()
    failed = asyncio.run(outcomes(FORMS, backend))
    assert backend.attempts == []
    assert set(failed) == set(FORMS)
    assert all(url in str(error) for url, error in failed.items())


def test_no_redirect_leads_to_an_inner_address(httpserver: HTTPServer) -> None:
    for number, form in enumerate(FORMS):
        location = form.encode("utf-8").decode("latin-1")
        httpserver.expect_request(f"/{number}").respond_with_data("", 302, headers={"Location": location})
    backend = CountingBackend(open_port=httpserver.port)
    urls = [httpserver.url_for(f"/{number}") for number in range(len(FORMS))]
    failed = asyncio.run(outcomes(urls, backend, allow={f"{httpserver.host}:{httpserver.port}"}))
    assert backend.attempts == []
    assert set(failed) == set(urls)


def test_control_the_same_forms_do_connect_without_the_guard() -> None:
    backend = CountingBackend()
    asyncio.run(outcomes(FORMS, backend, allow={"0.0.0.0/0", "::/0"}))
    assert len(backend.attempts) > 50
    assert {"127.0.0.1", "169.254.169.254", "::1", "10.0.0.1"} <= {host for host, _ in backend.attempts}


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "127。0。0。1"])
def test_control_an_unguarded_client_reads_an_inner_server(httpserver: HTTPServer, host: str) -> None:
    httpserver.expect_request("/secret").respond_with_data("inner")
    url = f"http://{host}:{httpserver.port}/secret"
    assert httpx2.get(url, trust_env=False).text == "inner"
    with pytest.raises(Refused):
        asyncio.run(fetch_one(url))
    assert len(httpserver.log) == 1


async def fetch_one(url: str, **options: object) -> None:
    async with HttpFetcher(contact=CONTACT, **options) as fetcher:  # type: ignore[arg-type]
        await fetcher.fetch(url)


def test_a_redirect_to_another_port_of_an_allowed_host_is_refused(httpserver: HTTPServer) -> None:
    with HTTPServer() as inner:
        inner.expect_request("/secret").respond_with_data("inner")
        httpserver.expect_request("/a").respond_with_data(
            "", status=302, headers={"Location": inner.url_for("/secret")}
        )
        own = f"{httpserver.host}:{httpserver.port}"
        with pytest.raises(Refused, match="neither 80 nor 443"):
            asyncio.run(fetch_one(httpserver.url_for("/a"), allow={own}))
        assert inner.log == []
        asyncio.run(fetch_one(httpserver.url_for("/a"), allow={own, f"{inner.host}:{inner.port}"}))
        assert len(inner.log) == 1


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_vetted() -> None:
    backend = CountingBackend()
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return ("93.184.215.14",) if len(asked) % 2 else ("127.0.0.1",)

    async def run() -> None:
        async with HttpFetcher(contact=CONTACT, backend=backend, resolver=rebinding) as fetcher:
            for _ in range(10):
                with pytest.raises((Refused, Unavailable)):
                    await fetcher.fetch("http://rebinding.example/")

    asyncio.run(run())
    assert len(asked) == 10
    assert backend.attempts == [("93.184.215.14", 80)] * 5


def test_a_name_with_one_inner_address_among_public_ones_is_refused() -> None:
    backend = CountingBackend()

    async def mixed(host: str, port: int) -> tuple[str, ...]:
        return ("93.184.215.14", "10.0.0.1")

    with pytest.raises(Refused, match=r"http://mixed\.example/: .* 10\.0\.0\.1 is a private network"):
        asyncio.run(fetch_one("http://mixed.example/", backend=backend, resolver=mixed))
    assert backend.attempts == []


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    backend = CountingBackend()

    async def two(host: str, port: int) -> tuple[str, ...]:
        return ("93.184.215.14", "93.184.215.15")

    with pytest.raises(Unavailable):
        asyncio.run(fetch_one("https://two.example/", backend=backend, resolver=two))
    assert backend.attempts == [("93.184.215.14", 443), ("93.184.215.15", 443)]


def test_proxy_variables_are_not_read(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    httpserver.expect_request("/").respond_with_data("through the proxy")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, httpserver.url_for("/"))
    backend = CountingBackend()

    async def public(host: str, port: int) -> tuple[str, ...]:
        return ("93.184.215.14",)

    with pytest.raises(Unavailable):
        asyncio.run(fetch_one("http://public.example/", backend=backend, resolver=public))
    assert backend.attempts == [("93.184.215.14", 80)]
    assert httpserver.log == []
