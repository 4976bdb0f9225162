"""Servers that hang, drip, lie and flood: each costs its own fetch, a bounded time, and nothing else."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.domain.errors import Refused, Unavailable
from digest.gather.fetching.fetch import Fetched, Limits
from digest.gather.fetching.http import HttpFetcher
from tests.gather.fetching.raw_servers import Serve, answering, endless, hang, once, raw_server, reset

CONTACT = "https://digest.example/about"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def fetch(serve: Serve, limits: Limits | None = None, *, scheme: str = "http") -> Fetched:
    """Fetch from a server, and see to it that no connection stays open."""

    async def run() -> Fetched:
        async with raw_server(serve) as server:
            allow = {f"127.0.0.1:{server.port}"}
            async with HttpFetcher(contact=CONTACT, allow=allow, limits=limits or Limits()) as fetcher:
                try:
                    return await fetcher.fetch(f"{scheme}://127.0.0.1:{server.port}/feed")
                except (Refused, Unavailable):
                    assert await server.all_closed()
                    raise

    return asyncio.run(run())


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 500\r\n\r\nshort",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"<p>HTTP/0.9 has no header at all</p>\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 2000 High\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        CHUNKED + b"zz\r\nx",
        CHUNKED + b"fffffffffffffffffffffffff\r\nx",
        CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 2, 3\r\n\r\nab",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK + b" Folded-From: nothing\r\n\r\n",
        OK + b"No colon here\r\n\r\n",
        OK + b"Bad\0Name: 1\r\n\r\n",
        b"",
        b"\r\n\r\n\r\n",
        OK + b"X-Long: " + b"a" * 300_000,
        OK + b"X-Many: 1\r\n" * 30_000 + b"\r\n",
        OK + b"X-Never: ends",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_an_answer_that_is_not_http_is_unavailable_in_words(answer: bytes) -> None:
    with pytest.raises(Unavailable, match="/feed could not be read: ") as caught:
        fetch(once(answer))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_a_connection_that_is_reset_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="/feed could not be read: "):
        fetch(reset)


def test_a_header_that_never_ends_is_left_early() -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match="/feed could not be read: its answer is not HTTP as it should be"):
        fetch(endless(OK, b"X-Again: and again\r\n" * 100))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_preliminary_answers_without_end_are_left_early(status: bytes) -> None:
    with pytest.raises(Unavailable, match="it goes on for ever"):
        fetch(endless(b"", b"HTTP/1.1 %s\r\n\r\n" % status * 100))


def test_an_answer_after_a_preliminary_one_is_read() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    assert fetch(once(hints + OK + b"Content-Length: 2\r\n\r\nok")).body == b"ok"


def test_a_server_that_says_nothing_is_left_in_silence() -> None:
    with pytest.raises(Unavailable, match=r"/feed was silent for 0\.2 s"):
        fetch(hang, Limits(seconds=10, silence=0.2))


def test_a_server_that_never_shakes_hands_is_left_in_silence() -> None:
    with pytest.raises(Unavailable, match=r"/feed was silent for 0\.2 s"):
        fetch(hang, Limits(seconds=10, silence=0.2), scheme="https")


def test_a_server_that_speaks_no_tls_is_unavailable() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await reader.read()

    with pytest.raises(Unavailable, match=r"^https://127\.0\.0\.1:\d+/feed could not be read: "):
        fetch(greet, scheme="https")


@pytest.mark.parametrize(
    ("head", "drop"),
    [(OK + b"Content-Type: text/html\r\n\r\n", b"x"), (CHUNKED, b"1\r\nx\r\n"), (OK, b"x"), (b"", b"H")],
    ids=["in a body", "in chunks", "in a header", "in a status line"],
)
def test_a_server_that_drips_is_left_at_the_deadline(head: bytes, drop: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"/feed did not answer within 0\.4 s"):
        fetch(endless(head, drop, pause=0.02), Limits(seconds=0.4, silence=10))
    assert time.monotonic() - began < 2


def test_redirects_do_not_buy_a_new_deadline() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for turn in range(100):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.15)
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n" % turn)

    with pytest.raises(Unavailable, match=r"/feed \(redirected to .*\) did not answer within 0\.4 s"):
        fetch(slow, Limits(seconds=0.4))


def test_an_endless_body_stops_at_the_limit() -> None:
    for serve in (
        endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        endless(OK + b"\r\n", b"x" * 65536),
        endless(OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65536),
    ):
        with pytest.raises(Refused, match="/feed is larger than 1 MiB"):
            fetch(serve, Limits(body_bytes=1 << 20))


def test_a_body_in_crumbs_is_refused_before_it_takes_all_our_time() -> None:
    with pytest.raises(Refused, match="/feed sends its body in crumbs: not read further"):
        fetch(endless(CHUNKED, b"1\r\nx\r\n" * 1000))


def test_chunks_under_a_mountain_of_extensions_are_left() -> None:
    with pytest.raises(Unavailable, match="it goes on for ever"):
        fetch(endless(CHUNKED, b"1;" + b"e" * 60_000 + b"\r\nx\r\n"), Limits(body_bytes=1 << 20))


def test_a_redirect_to_no_url_at_all_is_refused() -> None:
    for location in (
        b"http://[",
        b"http://a:b:c/",
        b"http://exa mple.com/",
        b"\xff\xfe",
        b"http://\xc3\x28/",
    ):
        answer = b"HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n" % location
        with pytest.raises((Refused, Unavailable), match="/feed"):
            fetch(once(answer))


def test_an_error_with_an_endless_body_is_still_that_error() -> None:
    with pytest.raises(Refused, match=r"/feed answers 404 Not Found$"):
        fetch(endless(b"HTTP/1.1 404 Not Found\r\n\r\n", b"x" * 65536))


FIELDS = st.sampled_from(
    re.findall(
        r"\S+",
        """Cache-Control Expires Age Date Retry-After Content-Encoding Content-Type Location X-Robots-Tag
        tdm-reservation ETag Last-Modified Transfer-Encoding Content-Length""",
    )
)
WORDS = st.sampled_from(
    [
        *re.findall(
            r"\S+",
            """max-age= no-store " , ; = gzip br chunked 0 -1 charset= ' http:// // / \\ [ ] @ % %00 noai *: é
            .. ? # : 64:ff9b:: xn-- javascript:""",
        ),
        *("9" * 400, "Mon, 02 Nov 2026 10:00:00 GMT", "\t", " "),
    ]
)
VALUES = st.one_of(
    st.binary(max_size=60), st.lists(WORDS, max_size=6).map("".join).map(lambda text: text.encode("latin-1"))
)


def test_no_header_raises_anything_but_our_own_errors() -> None:
    """One server and one fetcher for all examples: what one answer leaves behind must not hurt the next."""
    loop = asyncio.new_event_loop()
    answer = [b""]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer[0])
        await writer.drain()

    async def one(port: int, fetcher: HttpFetcher) -> None:
        try:
            await fetcher.fetch(f"http://127.0.0.1:{port}/")
        except (Refused, Unavailable) as exc:
            if f"http://127.0.0.1:{port}/" not in str(exc):
                raise AssertionError(f"{exc} names no URL") from exc

    server = raw_server(serve)
    seen = loop.run_until_complete(server.__aenter__())
    limits = Limits(seconds=2, silence=0.5, body_bytes=10_000)
    fetcher = HttpFetcher(contact=CONTACT, allow={f"127.0.0.1:{seen.port}"}, limits=limits)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from([200, 200, 204, 301, 302, 304, 404, 410, 429, 503, 101]),
        st.lists(st.tuples(FIELDS, VALUES), max_size=4),
        st.binary(max_size=30),
    )
    def examples(status: int, fields: list[tuple[str, bytes]], body: bytes) -> None:
        head = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in fields)
        answer[0] = b"HTTP/1.1 %d Said\r\n" % status + head + b"\r\n" + body
        loop.run_until_complete(one(seen.port, fetcher))

    try:
        examples()
    finally:
        loop.run_until_complete(fetcher.__aexit__())
        loop.run_until_complete(server.__aexit__(None, None, None))
        loop.close()


def test_one_hostile_server_does_not_hold_up_another() -> None:
    async def run() -> tuple[float, bytes]:
        good = answering(OK + b"Content-Length: 2\r\n\r\nok")
        flood = endless(CHUNKED, b"1\r\nx\r\n" * 1000)
        async with raw_server(flood) as bad, raw_server(hang) as silent, raw_server(good) as fine:
            allow = {f"127.0.0.1:{server.port}" for server in (bad, silent, fine)}
            async with HttpFetcher(contact=CONTACT, allow=allow, limits=Limits(seconds=3)) as fetcher:
                hostile = [
                    asyncio.create_task(fetcher.fetch(f"{server.url}/{n}"))
                    for n in range(10)
                    for server in (bad, silent)
                ]
                await asyncio.sleep(0.05)
                began = time.monotonic()
                body = (await fetcher.fetch(f"{fine.url}/")).body
                took = time.monotonic() - began
                for task in hostile:
                    task.cancel()
                await asyncio.gather(*hostile, return_exceptions=True)
                assert await bad.all_closed()
                assert await silent.all_closed()
        return took, body

    took, body = asyncio.run(run())
    assert body == b"ok"
    assert took < 1


def test_a_certificate_that_nobody_vouches_for_is_not_trusted() -> None:
    async def run() -> tuple[str, list[bytes]]:
        asked: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.read())
            writer.close()

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # A key that was made for this test, signed by itself for 127.0.0.1 and self-signed.example.org.
        context.load_cert_chain(Path(__file__).parent.parent / "data" / "self-signed.pem")
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with server, HttpFetcher(contact=CONTACT, allow={"127.0.0.0/8"}) as fetcher:
            with pytest.raises(Unavailable) as caught:
                await fetcher.fetch(f"https://127.0.0.1:{port}/feed")
        return str(caught.value), asked

    said, asked = asyncio.run(run())
    assert "could not be read: its certificate cannot be trusted (self-signed certificate)" in said
    assert b"".join(asked) == b""
