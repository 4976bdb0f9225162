"""The network as a fetch sees it: every connection goes to an address that was vetted, and to no other.

The guard sits where the socket is opened. A check before the request would resolve the name a second time,
and a hostile name server may answer differently then.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpcore2

from digest.domain.errors import NoSuchHost, Refused, Unavailable
from digest.gather.fetching.guard import Guard

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]


_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""What a name server says of a name that is not; anything else may be the name server's own trouble."""
_RESOLVERS = 32
_MAX_TRIED = 4
"""Addresses of one name that are tried: a name server could list a hundred of somebody else's."""
_HEAD_BYTES = 256 * 1024
"""Read before an answer's header is complete: httpcore2 bounds a header, but not how many 1xx precede it."""


class SystemResolver:
    """Resolves names as the system does, in threads of its own.

    asyncio's default pool has six threads on two cores: a few name servers that do not answer would hold up
    every other host.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        """Return every address of `host` in the system's order. Raises `OSError` when there is none."""
        try:  # an address in any notation needs no name server, and no thread
            return _addresses(host, port, socket.AI_NUMERICHOST)
        except socket.gaierror:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, _addresses, host, port, 0)

    def close(self) -> None:
        """Let the threads end when their names are resolved."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int, flags: int) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections for a pool: resolves once, vets every address, connects to exactly those."""

    def __init__(
        self, guard: Guard, *, inner: httpcore2.AsyncNetworkBackend | None = None, resolver: Resolve
    ) -> None:
        self._guard = guard
        self._inner = inner or httpcore2.AnyIOBackend()
        self._resolve = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first vetted address that answers.

        Raises `Refused` when an address of `host` is denied, `NoSuchHost` when there is no such host.
        """
        try:
            async with asyncio.timeout(timeout):
                addresses = (await self._vetted(host, port))[:_MAX_TRIED]
        except TimeoutError as exc:
            raise Unavailable(f"the name '{host}' was not resolved within {timeout:g} s") from exc
        for address in addresses[:-1]:
            try:
                return await self._connect(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._connect(addresses[-1], port, timeout, local_address, socket_options)

    async def _connect(
        self,
        address: str,
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> BoundedStream:
        stream = await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
        return BoundedStream(stream)

    async def _vetted(self, host: str, port: int) -> tuple[str, ...]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as exc:
            why = getattr(exc, "strerror", None) or exc
            is_none = isinstance(exc, UnicodeError) or exc.errno in _NO_SUCH_NAME
            kind = NoSuchHost if is_none else Unavailable
            raise kind(f"the name '{host}' has no address ({why})") from exc
        if not addresses:
            raise NoSuchHost(f"the name '{host}' has no address")
        reason = self._guard.why_not(host, port, addresses)
        if reason:
            raise Refused(f"'{host}' may not be connected to: {reason}")
        return addresses

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 (the base class's)
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.AsyncNetworkStream:
        """Raise `Refused`: nothing that is gathered lives behind a Unix socket."""
        raise Refused(f"'{path}' is a Unix socket: only TCP connections are made")

    async def sleep(self, seconds: float) -> None:
        """Wait between a pool's own attempts."""
        await self._inner.sleep(seconds)


class BoundedStream(httpcore2.AsyncNetworkStream):
    """A connection that reads so many bytes of an answer and no more, and is never left open half-made.

    What counts is what comes after the last write: one request is under way at a time.
    """

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        self._left = _HEAD_BYTES

    def allow(self, more: int) -> None:
        """Let `more` bytes be read: the header is complete and its body is wanted."""
        self._left += more

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what came, b"" at the end. Raises httpcore2's `RemoteProtocolError` over the allowance."""
        if self._left <= 0:
            raise httpcore2.RemoteProtocolError("it goes on for ever")
        received = await self._inner.read(min(max_bytes, self._left), timeout)
        self._left -= len(received)
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a part of a request."""
        self._left = _HEAD_BYTES
        await self._inner.write(buffer, timeout)

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> BoundedStream:
        """Return the same connection under TLS."""
        try:
            return BoundedStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            # httpcore2 closes after errors, but not when it is cancelled in the middle of a handshake.
            await self._inner.aclose()
            raise

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore2 asks of a stream."""
        return self._inner.get_extra_info(info)
