"""Connections as a polite guest keeps them: one an origin, requests in a queue, kept for the next."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import httpcore2
import httpx2

from digest.gather.fetching.guarded import GuardedBackend

MAX_IDLE = 100
IDLE_SECONDS = 5.0


class Origin(NamedTuple):
    """Whom a connection leads to: scheme, host as it is looked up, port."""

    scheme: bytes
    host: bytes
    port: int

    @classmethod
    def of(cls, url: httpx2.URL) -> Origin:
        """Return the origin of an http(s) URL."""
        return cls(url.raw_scheme, url.raw_host, url.port or (443 if url.scheme == "https" else 80))


@dataclass(slots=True)
class Line:
    """The queue to one origin, and its connection while there is one."""

    origin: Origin
    place: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: httpcore2.AsyncHTTPConnection | None = None
    left_at: float = float("-inf")


class Connections:
    """Makes, lends and closes connections. Must be closed.

    httpcore2's pool looks through all its connections and all that wait at every request and every close;
    here each origin has its own line, and finding it costs the same among a thousand (decision 16).
    """

    def __init__(
        self, backend: GuardedBackend, *, max_idle: int = MAX_IDLE, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._backend = backend
        self._max_idle = max_idle
        self._idle_seconds = idle_seconds
        self._lines: dict[Origin, Line] = {}
        self._idle: OrderedDict[Origin, float] = OrderedDict()
        self._sweeper: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self, origin: Origin, *, pause: float = 0.0) -> AsyncIterator[Line]:
        """Wait for the turn at `origin`, and until `pause` seconds after the last one ended."""
        line = self._lines.setdefault(origin, Line(origin))
        async with line.place:
            self._idle.pop(origin, None)
            try:
                await asyncio.sleep(line.left_at + pause - _clock())
                yield line
            finally:
                line.left_at = _clock()
                await self._rest(line)

    async def send(self, line: Line, request: httpcore2.Request) -> httpcore2.Response:
        """Send a request on the line's connection, a new one if there is none or the server gave it up.

        Its whole answer has to be read or closed before the turn ends.
        """
        kept = line.connection
        if kept is not None and kept.is_available() and not kept.has_expired():
            try:
                return await kept.handle_async_request(request)
            except (httpcore2.NetworkError, httpcore2.RemoteProtocolError):
                pass  # closed by the server just now: RFC 9112 §9.3.1 lets a GET be repeated at once
        await self._drop(line)
        line.connection = self._open(line.origin)
        return await line.connection.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for line in self._lines.values():
            await self._drop(line)
        self._idle.clear()

    def _open(self, origin: Origin) -> httpcore2.AsyncHTTPConnection:
        tls = self._ssl_context if origin.scheme == b"https" else None
        return httpcore2.AsyncHTTPConnection(
            httpcore2.Origin(*origin), ssl_context=tls, network_backend=self._backend
        )

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        """Certificates are verified. Reading the roots takes 20 ms, which http need not wait for."""
        return httpx2.create_ssl_context(trust_env=False)

    async def _rest(self, line: Line) -> None:
        """Keep the connection if it can serve again, as the last one used; close it otherwise."""
        if line.connection is None:
            return
        # A body that ends with its connection leaves it available, but with an end of file to be read.
        if not line.connection.is_available() or line.connection.has_expired():
            await self._drop(line)
            return
        self._idle[line.origin] = _clock()
        if len(self._idle) > self._max_idle:
            await self._close_idle(next(iter(self._idle)))
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        """Close connections when they have been idle long enough; ends when none is."""
        while self._idle:
            origin, since = next(iter(self._idle.items()))
            left = since + self._idle_seconds - _clock()
            if left > 0:
                await asyncio.sleep(left)
            else:
                await self._close_idle(origin)

    async def _close_idle(self, origin: Origin) -> None:
        del self._idle[origin]
        await self._drop(self._lines[origin])

    async def _drop(self, line: Line) -> None:
        # Taken off the line first: whoever gets it while this one closes must not be lent it.
        connection, line.connection = line.connection, None
        if connection is not None:
            await connection.aclose()


def _clock() -> float:
    return asyncio.get_running_loop().time()
