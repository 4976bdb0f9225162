"""A thousand hosts on the loopback, one in ten hostile: the ground that gathering is measured on.

    python -m benchmarks.farm --sources 1000 --articles 10 --hostile 0.1 [--fault NAME]... [--sitemaps]

It prints its port and serves until its stdin ends. All hosts share that port; `Farm.resolve` gives their
addresses. Requests to 127.0.0.1 itself are its caller's: `/stats` tells what was sent, `/next-poll` starts to
count anew, and anything else is what no fetcher may reach.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any
from urllib.request import urlopen

from benchmarks.farm_faults import FAULTS, expected, fault_of, permitted
from benchmarks.farm_sites import PRIVATE, PRIVATE_PATH, Site, robots, sites
from benchmarks.farm_talk import Sent, Talk

_SILENT, _CLOSED = "127.0.0.2", "127.0.0.3"


@dataclass(frozen=True, slots=True)
class Size:
    """How many hosts the farm plays, how much each publishes, which share is hostile and in which ways."""

    sources: int = 1000
    articles: int = 10
    hostile: float = 0.1
    faults: tuple[str, ...] = tuple(FAULTS)
    sitemaps: bool = False

    def sites(self, port: int) -> list[Site]:
        """Return the hosts of a farm of this size."""
        return sites(
            self.sources,
            port=port,
            articles=self.articles,
            hostile=self.hostile,
            faults=self.faults,
            sitemaps=self.sitemaps,
        )


@dataclass(frozen=True)
class Farm:
    """A running farm as its caller sees it."""

    size: Size
    port: int

    @cached_property
    def sites(self) -> list[Site]:
        """All hosts, in the order of their numbers."""
        return self.size.sites(self.port)

    @property
    def allow(self) -> frozenset[str]:
        """The hosts a fetcher has to be allowed; the loopback's own addresses are not among them."""
        return frozenset(f"{site.host}:{site.port}" for site in self.sites)

    def expected(self) -> set[str]:
        """Return the addresses of all articles that a good reader brings in."""
        return {url for site in self.sites for url in expected(site)}

    def permitted(self) -> set[str]:
        """Return the addresses of all articles that are not wrong to bring in."""
        return {url for site in self.sites for url in permitted(site)}

    async def resolve(self, host: str, _: int) -> tuple[str, ...]:
        """Return the address of a host of the farm. Raises `OSError` for one that has none."""
        match self._faults.get(host):
            case None | "has no address":
                raise OSError("no such host")
            case "hangs on connect":
                return (_SILENT,)
            case "refuses connections":
                return (_CLOSED,)
            case _:
                return ("127.0.0.1",)

    @cached_property
    def _faults(self) -> dict[str, str]:
        return {site.host: site.fault for site in self.sites}

    def stats(self) -> dict[str, Any]:
        """Return what was counted in this poll, see `Sent`, and what in all polls."""
        return self._ask("/stats")

    def next_poll(self) -> None:
        """Count anew, and let those hosts change what they publish that do."""
        self._ask("/next-poll")

    def _ask(self, path: str) -> dict[str, Any]:
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
            return told


@contextmanager
def running_farm(size: Size) -> Iterator[Farm]:
    """Run a farm in a process of its own, which ends with this one."""
    command = [sys.executable, "-m", "benchmarks.farm", "--sources", str(size.sources)]
    command += ["--articles", str(size.articles), "--hostile", str(size.hostile)]
    command += ["--sitemaps"] if size.sitemaps else []
    command += [f"--fault={fault}" for fault in size.faults]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Farm(size, int(process.stdout.readline()))
        finally:
            process.kill()


class Server:
    """The farm's own side."""

    def __init__(self, size: Size, port: int) -> None:
        self._sites = {site.host: site for site in size.sites(port)}
        self._sent, self._poll = Sent(), 1
        self._open: Counter[str] = Counter()
        self._most_at_once = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        host = ""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                talk = Talk(head, reader, writer, self._sent, self._poll)
                if not host:
                    host = talk.host
                    self._open[host] += 1
                    self._most_at_once = max(self._most_at_once, self._open[host])
                await self._answer(talk)
                if writer.is_closing():
                    break
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # the other side has enough, or ours was cut on purpose
        finally:
            if host:
                self._open[host] -= 1
            writer.close()

    async def _answer(self, talk: Talk) -> None:
        if talk.host == "127.0.0.1":
            await self._answer_caller(talk)
            return
        self._sent.requests += 1
        self._sent.forbidden += talk.path.startswith(PRIVATE)
        site = self._sites[talk.host]
        act = fault_of(site, talk.path)
        if act:
            await _until_hung_up(talk, act(talk, site))
        elif talk.path == site.path:
            await talk.answer(200, site.listing(), content_type=site.content_type, etag='"first"')
        elif talk.path in site.texts or talk.path == PRIVATE_PATH:
            await talk.answer(200, site.page(talk.path), etag='"first"')
        elif talk.path == "/robots.txt":
            await talk.answer(200, robots(), content_type="text/plain", etag='"robots"')
        else:
            await talk.answer(404, b"<h1>Not here</h1>")

    async def _answer_caller(self, talk: Talk) -> None:
        if talk.path == "/next-poll":
            self._sent, self._poll = Sent(), self._poll + 1
        elif talk.path != "/stats":
            self._sent.inward += 1
        told = asdict(self._sent) | {
            "most_at_once": self._most_at_once,
            "cpu_seconds": round(time.process_time(), 2),
        }
        await talk.answer(200, json.dumps(told).encode(), headers={"Connection": "close"})
        talk.close()


async def _until_hung_up(talk: Talk, act: Any) -> None:
    """Let a fault go on until it ends or the other side has closed."""
    acting = asyncio.ensure_future(act)
    try:
        while not acting.done() and not talk.writer.is_closing():
            await asyncio.wait([acting], timeout=0.5)
            if talk.has_hung_up:
                break
    finally:
        acting.cancel()
        with suppress(asyncio.CancelledError):
            await acting


@contextmanager
def _silent_address(port: int) -> Iterator[None]:
    """Keep an address where connections are neither taken nor refused: its backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((_SILENT, port))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect((_SILENT, port))
        yield


async def _serve(size: Size) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=2000) as listener:
        port = listener.getsockname()[1]
        with _silent_address(port):
            server = await asyncio.start_server(Server(size, port).connected, sock=listener, limit=1 << 16)
            print(port, flush=True)
            await asyncio.to_thread(sys.stdin.read)
            server.close()


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--articles", type=int, default=10)
    parser.add_argument("--hostile", type=float, default=0.1)
    parser.add_argument("--fault", action="append", choices=tuple(FAULTS), help="of the hostile; else all")
    parser.add_argument("--sitemaps", action="store_true")
    options = parser.parse_args()
    faults = tuple(options.fault or FAULTS)
    asyncio.run(_serve(Size(options.sources, options.articles, options.hostile, faults, options.sitemaps)))


if __name__ == "__main__":
    main()
