"""The network as a fetch sees it: every connection goes to an address that was vetted, and to no other.

The guard sits where the socket is opened. A check before the request would resolve the name a second time,
and a hostile name server may answer differently then.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable

import httpcore2
import httpx2

from digest.domain.errors import Refused, Unavailable
from digest.gather.guard import Guard

Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return every address of `host` in the system's order. Raises `OSError` when there is none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections for a pool: resolves once, vets every address, connects to exactly those."""

    def __init__(
        self, guard: Guard, *, inner: httpcore2.AsyncNetworkBackend | None = None, resolver: Resolve = resolve
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

        Raises `Refused` when an address of `host` is denied, `Unavailable` when there is no such host.
        """
        addresses = await self._vetted(host, port)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def _vetted(self, host: str, port: int) -> tuple[str, ...]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as exc:
            why = getattr(exc, "strerror", None) or exc
            raise Unavailable(f"the name '{host}' has no address ({why})") from exc
        if not addresses:
            raise Unavailable(f"the name '{host}' has no address")
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


class GuardedTransport(httpx2.AsyncBaseTransport):
    """httpx2's transport over a pool that can connect through a `GuardedBackend` only.

    httpx2's own transport gives no place for a backend, and reads proxies from the environment unless told
    otherwise. Errors of the pool come out as httpcore2's.
    """

    def __init__(self, backend: GuardedBackend, *, connections: int = 20) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=5.0,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request and return its response with the body still to be read."""
        response = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        if not isinstance(response.stream, AsyncIterable):
            raise TypeError("an asynchronous pool gave a synchronous stream")
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close every connection of the pool."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    """A response's raw body as httpx2 reads it."""

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()
