"""What a request costs: CPU milliseconds over many hosts, by our fetcher and by what it could be made of.

`python -m benchmarks.fetching [--hosts 200] [--requests 11000] [--json]`. A server of its own process answers
on loopback under as many names as there are hosts. aiohttp is measured too where it is installed:
`uv run --with aiohttp python -m benchmarks.fetching`.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import json
import multiprocessing
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import httpcore2
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from digest.gather.fetching.guard import Guard
from digest.gather.fetching.guarded import GuardedBackend
from digest.gather.fetching.http import HttpFetcher

CONTACT = "https://bench.example.org/about"
PAGE = b"<p>" + b"The tide comes in, and the tide goes out. " * 240 + b"</p>"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)

Get = Callable[[str], Awaitable[int]]
Client = Callable[[Callable[[Get], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one client took for all requests; `cpu_ms` is per request, of the client's process alone."""

    client: str
    requests: int
    seconds: float
    cpu_ms: float


class Answering(asyncio.Protocol):
    """A server that costs next to nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that has come in."""
        self._transport.write(ANSWER * data.count(b"\r\n\r\n"))


def serve(listening: socket.socket) -> None:
    """Answer on a socket until the process is ended."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, sock=listening)
        await server.serve_forever()

    asyncio.run(run())


async def loopback(*_: object) -> tuple[str, ...]:
    """Resolve every name to this machine."""
    return ("127.0.0.1",)


async def with_fetcher(use: Callable[[Get], Awaitable[None]]) -> None:
    """Fetch as gather does: one connection a host, limits, decoding, the header read."""
    async with HttpFetcher(contact=CONTACT, allow={"127.0.0.0/8"}, resolver=loopback) as fetcher:

        async def get(url: str) -> int:
            return len((await fetcher.fetch(url)).body)

        await use(get)


async def with_pool(use: Callable[[Get], Awaitable[None]]) -> None:
    """Fetch through httpcore2's own pool, with the same guard."""
    backend = GuardedBackend(Guard.allowing({"127.0.0.0/8"}), resolver=loopback)
    async with httpcore2.AsyncConnectionPool(
        max_connections=100, max_keepalive_connections=100, keepalive_expiry=5.0, network_backend=backend
    ) as pool:

        async def get(url: str) -> int:
            return len((await pool.request("GET", url)).content)

        await use(get)


async def with_aiohttp(use: Callable[[Get], Awaitable[None]]) -> None:
    """Fetch through aiohttp, one connection a host."""
    aiohttp: Any = importlib.import_module("aiohttp")

    class Loopback:
        async def resolve(
            self, host: str, port: int = 0, family: int = socket.AF_INET
        ) -> list[dict[str, Any]]:
            flags = socket.AI_NUMERICHOST
            return [
                {
                    "hostname": host,
                    "host": "127.0.0.1",
                    "port": port,
                    "family": family,
                    "proto": 0,
                    "flags": flags,
                }
            ]

        async def close(self) -> None: ...

    connector = aiohttp.TCPConnector(resolver=Loopback(), limit=0, limit_per_host=1, keepalive_timeout=5)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def get(url: str) -> int:
            async with session.get(url) as response:
                return len(await response.read())

        await use(get)


CLIENTS: Mapping[str, Client] = {
    "ours": with_fetcher,
    "httpcore2's pool": with_pool,
    "aiohttp": with_aiohttp,
}


def measure(name: str, client: Client, *, port: int, hosts: int, requests: int) -> Cost:
    """Return what `requests` over `hosts` cost, each host's one after the other and all hosts at once."""

    async def use(get: Get) -> None:
        async def visit(host: int) -> None:
            for page in range(host, requests, hosts):
                size = await get(f"http://site-{host}.example.org:{port}/{page}")
                assert size == len(PAGE)

        await asyncio.gather(*map(visit, range(hosts)))

    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(client(use))  # type: ignore[arg-type]
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Cost(name, requests, seconds, cpu / requests * 1000)


def main() -> None:
    """Print a table, or JSON with the keys `clients`, `hosts` and `cpu_ms_per_request` (ours)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--requests", type=int, default=11_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listening,), daemon=True)
    server.start()
    costs = [
        measure(
            name,
            client,
            port=listening.getsockname()[1],
            hosts=arguments.hosts,
            requests=arguments.requests,
        )
        for name, client in CLIENTS.items()
        if name != "aiohttp" or importlib.util.find_spec("aiohttp")
    ]
    server.terminate()
    if arguments.json:
        ours = {"hosts": arguments.hosts, "cpu_ms_per_request": costs[0].cpu_ms}
        print(json.dumps({**ours, "clients": [asdict(cost) for cost in costs]}))
        return
    table = Table("client", "requests", "seconds", "CPU ms a request", box=SIMPLE)
    for cost in costs:
        table.add_row(cost.client, f"{cost.requests:,}", f"{cost.seconds:.1f}", f"{cost.cpu_ms:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
