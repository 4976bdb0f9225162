from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from digest.domain.errors import Refused, Unavailable
from digest.gather.fetch import ACCEPT_FEED, Fetched, HttpFetcher, Limits
from tests.servers.processes import free_port

CONTACT = "https://digest.example/about"


def fetch(url: str, server: HTTPServer | None = None, **options: object) -> Fetched:
    """Fetch one URL with a fetcher that may reach `server`."""
    allow = {f"{server.host}:{server.port}"} if server else set()
    asked = {name: options.pop(name) for name in ("etag", "last_modified", "accept") if name in options}

    async def run() -> Fetched:
        async with HttpFetcher(contact=CONTACT, allow=allow, **options) as fetcher:  # type: ignore[arg-type]
            return await fetcher.fetch(url, **asked)  # type: ignore[arg-type]

    return asyncio.run(run())


def test_a_page_comes_with_its_type_charset_and_validators(httpserver: HTTPServer) -> None:
    headers = {"ETag": '"v1"', "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}
    page = Response(
        "<p>Grüße</p>".encode("latin-1"), headers=headers, content_type="Text/HTML; charset=Latin-1"
    )
    httpserver.expect_request("/a").respond_with_response(page)
    fetched = fetch(httpserver.url_for("/a"), httpserver)
    assert fetched == Fetched(
        url=httpserver.url_for("/a"),
        status=200,
        content_type="text/html",
        encoding="latin-1",
        body="<p>Grüße</p>".encode("latin-1"),
        etag='"v1"',
        last_modified="Mon, 02 Nov 2026 10:00:00 GMT",
    )


def test_a_fetch_says_who_asks_and_what_it_takes(httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response("x", headers={"Set-Cookie": "id=1"})

    httpserver.expect_request("/feed").respond_with_handler(answer)
    fetch(httpserver.url_for("/feed"), httpserver, accept=ACCEPT_FEED)
    assert f"+{CONTACT}" in seen[0].headers["User-Agent"]
    assert seen[0].headers["Accept"].startswith("application/atom+xml")


def test_an_unchanged_feed_is_not_sent_again(httpserver: HTTPServer) -> None:
    conditional = {"If-None-Match": '"v1"', "If-Modified-Since": "Mon, 02 Nov 2026 10:00:00 GMT"}
    httpserver.expect_request("/feed", headers=conditional).respond_with_data("", status=304)
    fetched = fetch(
        httpserver.url_for("/feed"),
        httpserver,
        etag='"v1"',
        last_modified="Mon, 02 Nov 2026 10:00:00 GMT",
    )
    assert (fetched.status, fetched.body) == (304, b"")


def test_cookies_are_not_kept_between_fetches(httpserver: HTTPServer) -> None:
    cookies: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        cookies.append(dict(request.cookies))
        return Response("x", headers={"Set-Cookie": "id=1; Path=/"})

    httpserver.expect_request("/").respond_with_handler(answer)

    async def twice() -> None:
        async with HttpFetcher(contact=CONTACT, allow={f"{httpserver.host}:{httpserver.port}"}) as fetcher:
            await fetcher.fetch(httpserver.url_for("/"))
            await fetcher.fetch(httpserver.url_for("/"))

    asyncio.run(twice())
    assert cookies == [{}, {}]


def test_redirects_are_followed_and_the_last_url_reported(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/old").respond_with_data("", status=301, headers={"Location": "/new"})
    httpserver.expect_request("/new").respond_with_data("here")
    fetched = fetch(httpserver.url_for("/old"), httpserver)
    assert (fetched.url, fetched.body) == (httpserver.url_for("/new"), b"here")


def test_five_redirects_are_followed_and_the_sixth_refused(httpserver: HTTPServer) -> None:
    for step in range(7):
        httpserver.expect_request(f"/{step}").respond_with_data(
            "", status=302, headers={"Location": f"/{step + 1}"}
        )
    httpserver.expect_request("/7").respond_with_data("end")
    assert fetch(httpserver.url_for("/2"), httpserver).body == b"end"
    with pytest.raises(Refused, match="redirects more than 5 times"):
        fetch(httpserver.url_for("/1"), httpserver)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://example.com/", "javascript:1", ""])
def test_a_redirect_out_of_the_web_is_refused(httpserver: HTTPServer, location: str) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=302, headers={"Location": location})
    with pytest.raises(Refused, match=httpserver.url_for("/a")):
        fetch(httpserver.url_for("/a"), httpserver)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_in_trouble_may_be_asked_again(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=status, headers={"Retry-After": "120"})
    with pytest.raises(Unavailable, match=rf"/a answers {status} .*; it asks to wait: 120"):
        fetch(httpserver.url_for("/a"), httpserver)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_no_for_good_is_refused(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=status)
    with pytest.raises(Refused, match=f"/a answers {status}"):
        fetch(httpserver.url_for("/a"), httpserver)


def test_nobody_listening_is_unavailable() -> None:
    port = free_port()

    async def run() -> None:
        async with HttpFetcher(contact=CONTACT, allow={f"127.0.0.1:{port}"}) as fetcher:
            await fetcher.fetch(f"http://127.0.0.1:{port}/feed")

    with pytest.raises(Unavailable, match=f"http://127.0.0.1:{port}/feed could not be read"):
        asyncio.run(run())


def test_a_name_without_an_address_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"'nowhere\.invalid' has no address"):
        fetch("http://nowhere.invalid/feed")


def test_gzip_is_decoded(httpserver: HTTPServer) -> None:
    packed = gzip.compress(b"hello " * 1000)
    httpserver.expect_request("/a").respond_with_data(packed, headers={"Content-Encoding": "gzip"})
    assert fetch(httpserver.url_for("/a"), httpserver).body == b"hello " * 1000


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    ],
)
def test_a_bomb_is_refused_long_before_it_is_unpacked(
    httpserver: HTTPServer, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(bytes(64 << 20))
    httpserver.expect_request("/bomb").respond_with_data(packed, headers={"Content-Encoding": coding})
    with pytest.raises(
        Refused, match=r"/bomb (decompresses to over 100 times its size|is larger than 8 MiB)"
    ):
        fetch(httpserver.url_for("/bomb"), httpserver)


def test_text_that_packs_well_is_no_bomb(httpserver: HTTPServer) -> None:
    body = b"".join(b"%d bottles on the wall. " % number for number in range(100_000))
    httpserver.expect_request("/a").respond_with_data(
        gzip.compress(body), headers={"Content-Encoding": "gzip"}
    )
    assert len(fetch(httpserver.url_for("/a"), httpserver).body) == len(body) > 2 << 20


def test_a_body_over_the_limit_is_refused(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/big").respond_with_data(b"x" * 2000)
    assert len(fetch(httpserver.url_for("/big"), httpserver, limits=Limits(body_bytes=2000)).body) == 2000
    with pytest.raises(Refused, match="/big is larger than"):
        fetch(httpserver.url_for("/big"), httpserver, limits=Limits(body_bytes=1999))


def test_a_compression_that_was_not_asked_for_is_refused(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(b"??", headers={"Content-Encoding": "br"})
    with pytest.raises(Refused, match="compressed as br"):
        fetch(httpserver.url_for("/a"), httpserver)


def test_a_body_that_does_not_decompress_is_refused(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(b"not gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(Refused, match="does not decompress"):
        fetch(httpserver.url_for("/a"), httpserver)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(serve: Serve) -> AsyncIterator[int]:
    """Run a TCP server that answers as it likes; yields its port."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def fetch_raw(serve: Serve, **options: Limits) -> Fetched:
    async def run() -> Fetched:
        async with (
            raw_server(serve) as port,
            HttpFetcher(contact=CONTACT, allow={f"127.0.0.1:{port}"}, **options) as fetcher,
        ):
            return await fetcher.fetch(f"http://127.0.0.1:{port}/feed")

    return asyncio.run(run())


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a byte every 20 ms for a minute: never silent, and done only long after any deadline here."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    for _ in range(3_000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


def test_a_server_that_drips_is_left_at_the_deadline() -> None:
    with pytest.raises(Unavailable, match=r"/feed did not answer within 0\.4 s"):
        fetch_raw(drip, limits=Limits(seconds=0.4, silence=60))


def test_a_server_that_says_nothing_is_left_in_silence() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(Unavailable, match=r"/feed was silent for 0\.2 s"):
        fetch_raw(hang, limits=Limits(seconds=60, silence=0.2))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx",
        b"",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 300_000,
    ],
    ids=["lies about its length", "not HTTP", "broken chunk", "closes at once", "endless header"],
)
def test_an_answer_that_is_not_http_is_unavailable(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    with pytest.raises(Unavailable, match="/feed could not be read"):
        fetch_raw(serve)


def test_an_endless_chunked_body_stops_at_the_limit() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    with pytest.raises(Refused, match="/feed is larger than 1 MiB"):
        fetch_raw(serve, limits=Limits(body_bytes=1 << 20))


def test_a_connection_is_used_again() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()

    async def run() -> None:
        async with (
            raw_server(serve) as port,
            HttpFetcher(contact=CONTACT, allow={f"127.0.0.1:{port}"}) as fetcher,
        ):
            for _ in range(3):
                assert (await fetcher.fetch(f"http://127.0.0.1:{port}/")).body == b"ok"

    asyncio.run(run())
    assert connections == 1


def test_a_redirect_to_no_url_at_all_is_refused() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    with pytest.raises(Refused, match=r"/feed \(redirected to .*\) cannot be fetched"):
        fetch_raw(serve)
