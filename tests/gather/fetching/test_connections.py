"""One connection a host, requests in a queue, nothing left open."""

from __future__ import annotations

import asyncio
import time

import httpcore2
import pytest

from digest.domain.errors import Unavailable
from digest.gather.fetching.connections import Connections, Origin
from digest.gather.fetching.fetch import Limits
from digest.gather.fetching.guard import Guard
from digest.gather.fetching.guarded import GuardedBackend, SystemResolver
from digest.gather.fetching.http import HttpFetcher
from tests.gather.fetching.raw_servers import RawServer, answering, hang, once, raw_server

CONTACT = "https://digest.example/about"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOOPBACK = {"127.0.0.0/8"}


async def loopback(host: str, port: int) -> tuple[str, ...]:
    return ("127.0.0.1",)


def fetcher_for(**options: Limits) -> HttpFetcher:
    return HttpFetcher(contact=CONTACT, allow=LOOPBACK, resolver=loopback, **options)


def test_a_connection_is_used_again() -> None:
    async def run() -> RawServer:
        async with raw_server(answering(OK)) as server, fetcher_for() as fetcher:
            for page in range(5):
                assert (await fetcher.fetch(f"{server.url}/{page}")).body == b"ok"
        return server

    assert asyncio.run(run()).taken == 1


@pytest.mark.parametrize(
    "unwanted",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnever",
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nthere",
        b"HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbye\r\n0\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_wanted_does_not_cost_the_connection(unwanted: bytes) -> None:
    async def run() -> RawServer:
        async with raw_server(answering(unwanted, OK)) as server, fetcher_for() as fetcher:
            first = asyncio.create_task(fetcher.fetch(f"{server.url}/a", etag='"1"'))
            await asyncio.gather(first, return_exceptions=True)
            assert (await fetcher.fetch(f"{server.url}/b")).body == b"ok"
        return server

    assert asyncio.run(run()).taken == 1


def test_requests_of_one_host_stand_in_a_queue_and_hosts_do_not_wait_for_each_other() -> None:
    busy: dict[str, int] = {}
    most: dict[str, int] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            host = request.partition("Host: ")[2].partition("\r\n")[0]
            for name in (host, "all"):
                busy[name] = busy.get(name, 0) + 1
                most[name] = max(most.get(name, 0), busy[name])
            await asyncio.sleep(0.02)
            for name in (host, "all"):
                busy[name] -= 1
            writer.write(OK)

    async def run() -> RawServer:
        async with raw_server(serve) as server, fetcher_for() as fetcher:
            urls = [f"http://h{number % 50}.example.org:{server.port}/{number}" for number in range(150)]
            await asyncio.gather(*map(fetcher.fetch, urls))
        return server

    server = asyncio.run(run())
    assert server.taken == 50
    assert most.pop("all") > 20
    assert set(most.values()) == {1}


def test_the_time_in_the_queue_is_not_the_fetch_s_own() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.1)
            writer.write(OK)

    async def run() -> list[bytes]:
        async with raw_server(slow) as server, fetcher_for(limits=Limits(seconds=0.5)) as fetcher:
            pages = await asyncio.gather(*(fetcher.fetch(f"{server.url}/{page}") for page in range(10)))
            return [page.body for page in pages]

    assert asyncio.run(run()) == [b"ok"] * 10


def test_a_connection_that_the_server_gave_up_is_made_again() -> None:
    async def run() -> RawServer:
        async with raw_server(once(OK)) as server, fetcher_for() as fetcher:
            for page in range(4):
                assert (await fetcher.fetch(f"{server.url}/{page}")).body == b"ok"
        return server

    assert asyncio.run(run()).taken == 4


def test_a_connection_that_breaks_under_a_repeated_request_is_tried_once_more() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async def run() -> RawServer:
        async with raw_server(serve) as server, fetcher_for() as fetcher:
            for page in range(3):
                assert (await fetcher.fetch(f"{server.url}/{page}")).body == b"ok"
        return server

    assert asyncio.run(run()).taken == 3


def test_idle_connections_are_few_and_not_kept_for_long() -> None:
    async def visit(connections: Connections, host: str, port: int) -> None:
        origin = Origin(b"http", host.encode(), port)
        async with connections.turn(origin) as line:
            url = httpcore2.URL(scheme=b"http", host=origin.host, port=port, target=b"/")
            response = await connections.send(line, httpcore2.Request(b"GET", url, headers=[(b"Host", b"x")]))
            await response.aread()
            await response.aclose()

    async def run() -> None:
        backend = GuardedBackend(Guard.allowing(LOOPBACK), resolver=loopback)
        connections = Connections(backend, max_idle=3, idle_seconds=0.2)
        async with raw_server(answering(OK)) as server:
            for number in range(8):
                await visit(connections, f"h{number}.example.org", server.port)
            await asyncio.sleep(0.05)
            assert server.open == {6, 7, 8}
            await visit(connections, "h7.example.org", server.port)
            assert server.taken == 8
            assert await server.all_closed()
            await visit(connections, "h7.example.org", server.port)
            assert server.taken == 9
            await connections.aclose()
            assert await server.all_closed()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("scheme", "head"),
    [("http", b""), ("https", b""), ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")],
    ids=["before an answer", "in the handshake", "in a body"],
)
def test_a_caller_s_deadline_leaves_no_connection_open(scheme: str, head: bytes) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await hang(reader, writer)

    async def run() -> None:
        async with raw_server(stall) as server, fetcher_for() as fetcher:
            url = f"{scheme}://h.example.org:{server.port}/"
            deadline = asyncio.timeout(None)

            async def pass_it() -> None:
                while not server.taken:
                    await asyncio.sleep(0.02)
                await asyncio.sleep(0.1)
                deadline.reschedule(asyncio.get_running_loop().time())

            passing = asyncio.create_task(pass_it())
            with pytest.raises(TimeoutError):
                async with deadline:
                    await asyncio.gather(*(fetcher.fetch(url) for _ in range(5)))
            await passing
            assert server.taken == 1
            assert await server.all_closed()

    asyncio.run(run())


def test_a_host_serves_again_after_a_fetch_was_cancelled() -> None:
    answers = [None, OK]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        answer = answers.pop(0)
        if answer:
            writer.write(answer)
        await reader.read()

    async def run() -> None:
        async with raw_server(serve) as server, fetcher_for() as fetcher:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await fetcher.fetch(f"{server.url}/a")
            assert (await fetcher.fetch(f"{server.url}/b")).body == b"ok"

    asyncio.run(run())


def test_closing_the_fetcher_closes_its_connections() -> None:
    async def run() -> None:
        async with raw_server(answering(OK)) as server:
            async with fetcher_for() as fetcher:
                for number in range(5):
                    await fetcher.fetch(f"http://h{number}.example.org:{server.port}/")
                assert len(server.open) == 5
            assert await server.all_closed()

    asyncio.run(run())


def test_a_pause_is_kept_between_two_requests_of_one_host() -> None:
    async def half_a_second(url: str) -> float:
        return 0.25

    async def run() -> list[float]:
        asked: list[float] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readuntil(b"\r\n\r\n"):
                asked.append(time.monotonic())
                writer.write(OK)

        async with raw_server(serve) as server, fetcher_for() as fetcher:
            fetches = (fetcher.fetch(f"{server.url}/{n}", permit=half_a_second) for n in range(3))
            await asyncio.gather(*fetches)
        return asked

    first, second, third = asyncio.run(run())
    assert second - first > 0.24
    assert third - second > 0.24


def test_names_that_do_not_resolve_do_not_hold_up_the_others() -> None:
    async def slow_names(host: str, port: int) -> tuple[str, ...]:
        if host.startswith("slow"):
            await asyncio.sleep(60)
        return ("127.0.0.1",)

    async def run() -> float:
        limits = Limits(silence=0.3)
        async with (
            raw_server(answering(OK)) as server,
            HttpFetcher(contact=CONTACT, allow=LOOPBACK, resolver=slow_names, limits=limits) as fetcher,
        ):
            slow = asyncio.create_task(fetcher.fetch(f"http://slow.example.org:{server.port}/"))
            await asyncio.sleep(0)
            began = time.monotonic()
            await fetcher.fetch(f"http://quick.example.org:{server.port}/")
            took = time.monotonic() - began
            with pytest.raises(Unavailable, match=r"'slow\.example\.org' was not resolved within 0\.3 s"):
                await slow
        return took

    assert asyncio.run(run()) < 0.25


def test_the_system_s_resolver_reads_addresses_and_names() -> None:
    async def run() -> None:
        resolve = SystemResolver()
        assert await resolve("127.1", 80) == ("127.0.0.1",)
        assert "127.0.0.1" in await resolve("localhost", 80)
        with pytest.raises(OSError, match=r"\S"):
            await resolve("nowhere.invalid", 80)
        resolve.close()

    asyncio.run(run())
