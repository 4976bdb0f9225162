"""A look takes any status for an answer, and no more of the body than it is asked for."""

from __future__ import annotations

import asyncio
import socket

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from digest.domain.errors import Disallowed, NoSuchHost, Refused, Unavailable
from digest.gather.fetching.fetch import Limits, Looked
from digest.gather.fetching.guarded import Resolve
from digest.gather.fetching.http import HttpFetcher
from digest.gather.fetching.polite import PoliteFetcher

CONTACT = "https://digest.example/about"


def look(
    url: str,
    server: HTTPServer | None = None,
    *,
    body_bytes: int = 0,
    is_polite: bool = False,
    resolver: Resolve | None = None,
    seconds: float = 10,
) -> Looked:
    allow = {f"{server.host}:{server.port}"} if server else set()

    async def run() -> Looked:
        limits = Limits(seconds=seconds, silence=seconds)
        async with HttpFetcher(contact=CONTACT, allow=allow, limits=limits, resolver=resolver) as fetcher:
            asked = PoliteFetcher(fetcher) if is_polite else fetcher
            return await asked.look(url, body_bytes=body_bytes)

    return asyncio.run(run())


@pytest.mark.parametrize("status", [200, 204, 401, 403, 404, 410, 429, 500, 503])
def test_any_status_is_an_answer(status: int, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("told", status=status, content_type="text/html")
    looked = look(httpserver.url_for("/a"), httpserver)
    assert (looked.status, looked.url, looked.moved_to) == (status, httpserver.url_for("/a"), None)


@pytest.mark.parametrize(("status", "is_for_good"), [(301, True), (308, True), (302, False), (307, False)])
def test_redirects_are_followed_and_told(status: int, is_for_good: bool, httpserver: HTTPServer) -> None:
    moved = Response(status=status, headers={"Location": "/b"})
    httpserver.expect_request("/a").respond_with_response(moved)
    httpserver.expect_request("/b").respond_with_data("here")
    looked = look(httpserver.url_for("/a"), httpserver)
    end = httpserver.url_for("/b")
    assert (looked.status, looked.url, looked.moved_to) == (200, end, end if is_for_good else None)


def test_no_more_is_read_than_is_wanted_and_the_length_is_told(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/p").respond_with_data(b"p" * 500_000, content_type="Image/PNG; x=y")
    looked = look(httpserver.url_for("/p"), httpserver, body_bytes=1000)
    assert (len(looked.body), looked.length, looked.content_type) == (1000, 500_000, "image/png")
    whole = look(httpserver.url_for("/p"), httpserver, body_bytes=600_000)
    assert (len(whole.body), whole.length) == (500_000, 500_000)


def test_a_length_that_is_not_told_is_counted_as_far_as_is_read(httpserver: HTTPServer) -> None:
    def chunked(_request: Request) -> Response:
        return Response((b"x" * 100 for _ in range(50)), content_type="image/png")

    httpserver.expect_request("/c").respond_with_handler(chunked)
    assert look(httpserver.url_for("/c"), httpserver, body_bytes=6000).length == 5000
    assert look(httpserver.url_for("/c"), httpserver, body_bytes=1000).length is None


def test_a_body_is_wanted_as_it_is(httpserver: HTTPServer) -> None:
    """A compressed picture would weigh what nobody downloads."""
    seen: list[str | None] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("Accept-Encoding"))
        return Response("x")

    httpserver.expect_request("/a").respond_with_handler(answer)
    look(httpserver.url_for("/a"), httpserver)
    assert seen == [None]


def test_a_look_is_guarded_as_a_fetch_is(httpserver: HTTPServer) -> None:
    for url in (httpserver.url_for("/"), "http://169.254.169.254/", "http://[::1]/", "ftp://a.example/"):
        with pytest.raises(Refused):
            look(url)
    inward = Response(status=302, headers={"Location": "http://127.0.0.1:1/"})
    httpserver.expect_request("/a").respond_with_response(inward)
    with pytest.raises(Refused, match="may not be fetched"):
        look(httpserver.url_for("/a"), httpserver)
    assert not [request for request, _ in httpserver.log if request.path != "/a"]


def test_circles_and_silence_end(httpserver: HTTPServer) -> None:
    circle = Response(status=302, headers={"Location": "/a"})
    httpserver.expect_request("/a").respond_with_response(circle)
    with pytest.raises(Refused, match="in a circle"):
        look(httpserver.url_for("/a"), httpserver)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        httpserver_like = f"127.0.0.1:{silent.getsockname()[1]}"

        async def run() -> Looked:
            limits = Limits(seconds=0.3, silence=0.3)
            async with HttpFetcher(contact=CONTACT, allow={httpserver_like}, limits=limits) as fetcher:
                return await fetcher.look(f"http://{httpserver_like}/")

        with pytest.raises(Unavailable):
            asyncio.run(run())


@pytest.mark.parametrize(("code", "kind"), [(socket.EAI_NONAME, NoSuchHost), (socket.EAI_AGAIN, Unavailable)])
def test_a_name_that_is_not_is_told_from_a_name_server_in_trouble(code: int, kind: type[Unavailable]) -> None:
    async def resolver(_host: str, _port: int) -> tuple[str, ...]:
        raise socket.gaierror(code, "told so")

    with pytest.raises(Unavailable) as raised:
        look("http://gone.example/", resolver=resolver)
    assert type(raised.value) is kind


def test_robots_txt_keeps_a_look_out_too(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/robots.txt").respond_with_data("User-agent: *\nDisallow: /private")
    httpserver.expect_request("/.well-known/tdmrep.json").respond_with_data("", 404)
    to_private = Response(status=302, headers={"Location": "/private/a"})
    httpserver.expect_request("/open").respond_with_response(to_private)
    for path in ("/private/a", "/open"):
        with pytest.raises(Disallowed, match=r"robots\.txt"):
            look(httpserver.url_for(path), httpserver, is_polite=True)
