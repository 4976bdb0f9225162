from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from digest import __version__
from digest.domain.errors import Gone, Refused, Unavailable
from digest.gather.fetching.fetch import ACCEPT_FEED, Fetched, Limits
from digest.gather.fetching.http import HttpFetcher
from tests.gather.fetching.packing import pack

CONTACT = "https://digest.example/about"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
        received_bytes=12,
    )


def test_a_fetch_says_who_asks_and_what_it_takes(httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response("x", headers={"Set-Cookie": "id=1"})

    httpserver.expect_request("/feed").respond_with_handler(answer)
    fetch(httpserver.url_for("/feed"), httpserver, accept=ACCEPT_FEED)
    assert seen[0].headers["User-Agent"] == f"Digest/{__version__} (+{CONTACT})"
    assert seen[0].headers["Accept-Encoding"] == "gzip, deflate, br, zstd"
    assert "Cookie" not in seen[0].headers
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
    with pytest.raises(Unavailable, match=rf"/a answers {status} .*; it asks to wait 120 s") as caught:
        fetch(httpserver.url_for("/a"), httpserver)
    assert caught.value.retry_after == timedelta(minutes=2)


def test_a_server_in_trouble_need_not_say_when_to_come_back(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=503)
    with pytest.raises(Unavailable, match=r"/a answers 503 SERVICE UNAVAILABLE$") as caught:
        fetch(httpserver.url_for("/a"), httpserver)
    assert caught.value.retry_after is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_no_for_good_is_refused(httpserver: HTTPServer, status: int) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=status)
    with pytest.raises(Refused, match=f"/a answers {status}"):
        fetch(httpserver.url_for("/a"), httpserver)


def test_what_was_taken_away_for_good_is_gone(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=410)
    with pytest.raises(Gone, match="/a answers 410 GONE: it was taken away for good"):
        fetch(httpserver.url_for("/a"), httpserver)


@pytest.mark.parametrize(
    ("hops", "is_for_good"),
    [
        ((301,), True),
        ((308, 301), True),
        ((302,), False),
        ((301, 302), False),
        ((307, 301), False),
        ((), False),
    ],
)
def test_only_redirects_that_are_all_for_good_move_a_source(
    httpserver: HTTPServer, hops: tuple[int, ...], is_for_good: bool
) -> None:
    for step, status in enumerate(hops):
        httpserver.expect_request(f"/{step}").respond_with_data("", status, {"Location": f"/{step + 1}"})
    end = httpserver.url_for(f"/{len(hops)}")
    httpserver.expect_request(f"/{len(hops)}").respond_with_data("here")
    assert fetch(httpserver.url_for("/0"), httpserver).moved_to == (end if is_for_good else None)


def test_a_password_that_a_redirect_carries_is_not_repeated(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", 302, {"Location": "http://ada:canary@example.org/"})
    with pytest.raises(Refused, match=r"redirected to http://…@example\.org/") as caught:
        fetch(httpserver.url_for("/a"), httpserver)
    assert "canary" not in str(caught.value)


def test_a_redirect_in_a_circle_is_told_as_one(httpserver: HTTPServer) -> None:
    for here, there in (("/a", "/b"), ("/b", "/c"), ("/c", "/b#top")):
        httpserver.expect_request(here).respond_with_data("", 302, {"Location": there})
    a, b, c = map(httpserver.url_for, ("/a", "/b", "/c"))
    with pytest.raises(Refused, match=f"^{a} redirects in a circle: {b} → {c} → {b}$"):
        fetch(a, httpserver)


def test_an_answer_tells_how_long_it_holds_and_what_it_reserves(httpserver: HTTPServer) -> None:
    headers = {"Cache-Control": "max-age=600", "Age": "60", "X-Robots-Tag": "noindex, noai"}
    for status in (200, 304):
        httpserver.expect_request(f"/{status}").respond_with_data("", status=status, headers=headers)
        fetched = fetch(httpserver.url_for(f"/{status}"), httpserver, etag='"v1"')
        assert fetched.fresh_for == timedelta(minutes=9)
        assert fetched.reservation == "the header X-Robots-Tag says 'noai'"


def test_a_304_that_was_not_asked_for_is_not_taken_for_unchanged(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=304)
    with pytest.raises(Unavailable, match="/a answers 304 Not Modified, though it was asked for everything"):
        fetch(httpserver.url_for("/a"), httpserver)


def test_a_validator_that_no_header_can_hold_is_left_out(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_handler(lambda request: Response(str(request.headers)))
    for etag in ("a\r\nX-Injected: 1", "日", " ", "\x00"):
        assert b"None-Match" not in fetch(httpserver.url_for("/a"), httpserver, etag=etag).body


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


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, gzip, deflate"])
def test_a_packed_body_is_unpacked_and_both_sizes_known(httpserver: HTTPServer, coding: str) -> None:
    body = b"".join(b"%d bottles on the wall. " % number for number in range(10_000))
    packed = pack(body, coding)
    httpserver.expect_request("/a").respond_with_data(packed, headers={"Content-Encoding": coding})
    fetched = fetch(httpserver.url_for("/a"), httpserver)
    assert (fetched.body, fetched.received_bytes) == (body, len(packed))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "br, zstd"])
def test_a_bomb_is_refused_in_words_that_name_the_url(httpserver: HTTPServer, coding: str) -> None:
    packed = pack(bytes(64 << 20), coding)
    httpserver.expect_request("/bomb").respond_with_data(packed, headers={"Content-Encoding": coding})
    words = r"/bomb (decompresses to over 100 times its size|is larger than 8 MiB): not read further$"
    with pytest.raises(Refused, match=words):
        fetch(httpserver.url_for("/bomb"), httpserver)


def test_a_body_over_the_limit_is_refused(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/big").respond_with_data(b"x" * 2000)
    assert len(fetch(httpserver.url_for("/big"), httpserver, limits=Limits(body_bytes=2000)).body) == 2000
    with pytest.raises(Refused, match="/big is larger than"):
        fetch(httpserver.url_for("/big"), httpserver, limits=Limits(body_bytes=1999))


def test_a_compression_that_was_not_asked_for_is_refused(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(b"??", headers={"Content-Encoding": "compress"})
    with pytest.raises(Refused, match="/a is compressed as 'compress', which was not asked for"):
        fetch(httpserver.url_for("/a"), httpserver)
