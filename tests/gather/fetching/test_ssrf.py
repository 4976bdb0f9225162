"""No request leaves for an inner address: counted where sockets are opened, with controls that do connect."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpcore2
import httpx2
import pytest
from pytest_httpserver import HTTPServer

from digest.domain.errors import Refused, Unavailable
from digest.gather.fetching.guarded import Resolve
from digest.gather.fetching.http import HttpFetcher

CONTACT = "https://digest.example/about"

# Ways to write an inner address over which resolvers, URL parsers and address libraries differ, one a line.
FORMS = (Path(__file__).parent.parent / "data" / "inner-urls.txt").read_text("utf-8").splitlines()


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


connects: list[list[object]] = []
"""The lists that note where sockets connect to at the moment, under whatever library."""


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        for noting in connects:
            noting.append(arguments[1])


sys.addaudithook(_note)


@contextmanager
def noted_connects() -> Iterator[list[object]]:
    noted: list[object] = []
    connects.append(noted)
    try:
        yield noted
    finally:
        connects.remove(noted)


# What such names lead to where they exist. They stand for every name that a stranger points inside, by an
# address record or through an alias.
INNER_NAMES = {
    "localhost": ("127.0.0.1", "::1"),
    "localhost.localdomain": ("127.0.0.1",),
    "localtest.example": ("127.0.0.1",),
    "ip6-localhost": ("::1",),
    "ip6-loopback": ("::1",),
    "ip6-allnodes": ("ff02::1",),
    "metadata": ("169.254.169.254",),
    "metadata.google.internal": ("169.254.169.254", "fd20:ce::254"),
    "metadata.tencentyun.com": ("169.254.0.23",),
    "instance-data": ("169.254.169.254",),
    "kubernetes.default.svc": ("10.96.0.1",),
    "host.docker.internal": ("172.17.0.1",),
    "router.lan": ("192.168.1.1",),
    "printer.local": ("169.254.7.7",),
}


def addresses_of(host: str) -> tuple[str, ...]:
    """Return what the system takes `host` for, without a name server."""
    named = INNER_NAMES.get(host.removesuffix(".").lower())
    if named:
        return named
    found = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return tuple(str(address[0]) for *_, address in found)


async def resolve(host: str, port: int) -> tuple[str, ...]:
    return addresses_of(host)


async def outcomes(
    urls: Iterable[str],
    backend: httpcore2.AsyncNetworkBackend | None,
    allow: Iterable[str] = (),
    resolver: Resolve = resolve,
) -> dict[str, Exception]:
    """Fetch every URL and return how each failed."""
    failed: dict[str, Exception] = {}
    options = {"allow": frozenset(allow), "backend": backend, "resolver": resolver}
    async with HttpFetcher(contact=CONTACT, **options) as fetcher:  # type: ignore[arg-type]
        for url in urls:
            try:
                await fetcher.fetch(url)
            except (Refused, Unavailable) as exc:
                failed[url] = exc
    return failed


def test_the_table_is_long_enough_and_says_nothing_twice() -> None:
    assert len(set(FORMS)) == len(FORMS) >= 600


def test_no_form_of_an_inner_address_is_connected_to() -> None:
    with noted_connects() as noted:
        failed = asyncio.run(outcomes(FORMS, backend=None))
    assert noted == []
    assert set(failed) == set(FORMS)
    assert all(url in str(error) for url, error in failed.items())
    # Nearly all are refused by an address or a rule; the others are names that nobody knows here.
    assert sum(isinstance(error, Refused) for error in failed.values()) >= 500


def test_no_redirect_leads_to_an_inner_address() -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                asked = request.split()[1][1:]
                # Some forms are paths: they lead to this server once more, and there is nothing there.
                there = FORMS[int(asked)].encode() if asked.isdigit() else b""
                answer = b"302 Found\r\nLocation: %s" % there if there else b"404 Not Found"
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % answer)

    async def run() -> tuple[list[str], dict[str, Exception], int]:
        server = await asyncio.start_server(redirect, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            urls = [f"http://127.0.0.1:{port}/{number}" for number in range(len(FORMS))]
            return urls, await outcomes(urls, None, allow={f"127.0.0.1:{port}"}), port

    with noted_connects() as noted:
        urls, failed, port = asyncio.run(run())
    assert set(noted) == {("127.0.0.1", port)}
    assert set(failed) == set(urls)
    led_away = [error for error in failed.values() if "redirect" in str(error)]
    assert len(led_away) >= 600


def inner_addresses() -> list[str]:
    """Return an inner address for each form that is one to the system, and for each form of an address."""
    found = [address for form in FORMS if (host := host_of(form)) for address in known(host)]
    return [*found, *(Path(__file__).parent.parent / "data" / "inner-addresses.txt").read_text().split()]


def host_of(form: str) -> str:
    try:
        url = httpx2.URL(form)
    except (httpx2.InvalidURL, ValueError):
        return ""
    return "" if url.port else url.raw_host.decode("ascii")


def known(host: str) -> tuple[str, ...]:
    try:
        return addresses_of(host)
    except OSError:
        return ()


def test_no_name_that_changes_to_an_inner_address_is_connected_to_there() -> None:
    inner = inner_addresses()
    asked: dict[str, int] = {}
    backend = CountingBackend()

    async def rebinding(host: str, port: int) -> tuple[str, ...]:
        asked[host] = asked.get(host, 0) + 1
        return ("93.184.215.14",) if asked[host] == 1 else (inner[int(host.split(".")[0][1:])],)

    urls = [f"http://n{number}.example.org/" for number in range(len(inner))]
    asyncio.run(outcomes(urls, backend, resolver=rebinding))
    assert backend.attempts == [("93.184.215.14", 80)] * len(inner)
    assert set(asked.values()) == {1}
    backend.attempts.clear()
    failed = asyncio.run(outcomes(urls, backend, resolver=rebinding))
    assert backend.attempts == []
    assert len(failed) == len(inner) >= 300
    assert all(isinstance(error, Refused) for error in failed.values())


def test_no_name_with_an_inner_address_beside_a_public_one_is_connected_to() -> None:
    inner = inner_addresses()
    backend = CountingBackend()

    async def mixed(host: str, port: int) -> tuple[str, ...]:
        both = ("93.184.215.14", inner[int(host.split(".")[0][1:])])
        return both if len(host) % 2 else both[::-1]

    urls = [f"http://n{number}.example.org/" for number in range(len(inner))]
    failed = asyncio.run(outcomes(urls, backend, resolver=mixed))
    assert backend.attempts == []
    assert len(failed) == len(inner) >= 300


def test_control_the_same_forms_do_connect_without_the_guard() -> None:
    backend = CountingBackend()
    asyncio.run(outcomes(FORMS, backend, allow={"0.0.0.0/0", "::/0"}))
    assert len(backend.attempts) > 400
    assert {"127.0.0.1", "169.254.169.254", "::1", "10.0.0.1"} <= {host for host, _ in backend.attempts}


def test_control_a_connect_is_noted_under_the_libraries() -> None:
    with socket.create_server(("127.0.0.1", 0)) as inner, noted_connects() as noted:
        port = inner.getsockname()[1]

        async def connect() -> None:
            stream = await httpcore2.AnyIOBackend().connect_tcp("127.0.0.1", port)
            await stream.aclose()

        asyncio.run(connect())
    assert noted == [("127.0.0.1", port)]


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
