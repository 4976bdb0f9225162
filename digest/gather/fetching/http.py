"""Fetching over HTTP.

A fetch trusts nothing it is told: addresses are vetted (`guarded`), redirects one by one, and a body is read
no further than its limits, whatever the server says about its length.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Self

import httpcore2
import httpx2

from digest import __version__
from digest.domain.errors import Gone, InvalidInput, Refused, Unavailable
from digest.gather.fetching.answers import (
    DRAINED,
    cause_of,
    drain,
    failure,
    read_body,
    read_start,
    redirect_target,
)
from digest.gather.fetching.connections import Connections, Line, Origin
from digest.gather.fetching.decoding import ACCEPT_ENCODING, BodyDecoder
from digest.gather.fetching.fetch import (
    ACCEPT_ANY,
    DEFAULT_LIMITS,
    Fetched,
    Limits,
    Looked,
    Permit,
)
from digest.gather.fetching.guard import Guard
from digest.gather.fetching.guarded import BoundedStream, GuardedBackend, Resolve, SystemResolver
from digest.gather.fetching.headers import Headers, charset, fresh_for, media_type
from digest.gather.fetching.reservation import reservation_in
from digest.gather.fetching.robots import PRODUCT_TOKEN
from digest.gather.fetching.trip import Redirect, Trip
from digest.gather.urls import canonical_url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_GOOD = frozenset({301, 308})
_FIELD_VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[ \t\x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")


class HttpFetcher:
    """Fetches over HTTP(S), hundreds of hosts at once and each over one connection: an async context manager.

    `contact` is the URL the User-Agent gives, so that a site can tell who asks and complain. `allow` names
    "host:port" and CIDR exceptions to the guard, for servers on loopback; leave it empty elsewhere.
    Cookies are not kept and proxy variables not read. robots.txt is the business of `PoliteFetcher`.
    """

    def __init__(
        self,
        *,
        contact: str,
        allow: Collection[str] = frozenset(),
        limits: Limits = DEFAULT_LIMITS,
        backend: httpcore2.AsyncNetworkBackend | None = None,
        resolver: Resolve | None = None,
    ) -> None:
        self._guard = Guard.allowing(allow)
        self._limits = limits
        self._system = SystemResolver()
        guarded = GuardedBackend(self._guard, inner=backend, resolver=resolver or self._system)
        self._connections = Connections(guarded)
        agent = f"{PRODUCT_TOKEN}/{__version__} (+{contact})"
        self._headers = [(b"User-Agent", agent.encode("ascii", "replace"))]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connections.aclose()
        self._system.close()

    async def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = ACCEPT_ANY,
        permit: Permit | None = None,
    ) -> Fetched:
        """Return what `url` holds, see `Fetcher.fetch`. `permit` is asked before every request."""
        coded = (b"Accept-Encoding", ACCEPT_ENCODING.encode("ascii"))
        trip = Trip([url], [(b"Accept", accept.encode("ascii")), coded, *_conditions(etag, last_modified)])
        answer = await self._follow(trip, permit)
        assert isinstance(answer, Fetched)
        return answer

    async def look(
        self, url: str, *, body_bytes: int = 0, accept: str = ACCEPT_ANY, permit: Permit | None = None
    ) -> Looked:
        """Return what `url` answers, see `Looker.look`. `permit` is asked before every request."""
        trip = Trip([url], [(b"Accept", accept.encode("ascii"))], look_at=body_bytes)
        answer = await self._follow(trip, permit)
        assert isinstance(answer, Looked)
        return answer

    async def _follow(self, trip: Trip, permit: Permit | None) -> Fetched | Looked:
        trip.seconds = self._limits.seconds
        while True:
            answer = await self._ask(trip, permit)
            if not isinstance(answer, Redirect):
                return answer
            trip.go(answer.url, for_good=answer.for_good)

    async def _ask(self, trip: Trip, permit: Permit | None) -> Fetched | Looked | Redirect:
        target = self._target(trip)
        pause = await _permission(trip, permit)
        async with self._connections.turn(Origin.of(target), pause=pause) as line:
            began = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(trip.seconds):
                    return await self._exchange(line, target, trip)
            except TimeoutError as exc:
                raise Unavailable(f"{trip.named} did not answer within {self._limits.seconds:g} s") from exc
            finally:
                trip.seconds -= asyncio.get_running_loop().time() - began

    def _target(self, trip: Trip) -> httpx2.URL:
        try:
            canonical_url(trip.urls[-1])
            target = httpx2.URL(trip.urls[-1].strip())
        except InvalidInput as exc:
            raise Refused(f"{trip.named} cannot be fetched: {exc}") from exc
        origin = Origin.of(target)
        reason = self._guard.why_not_port(origin.host.decode("ascii"), origin.port)
        if reason:
            raise Refused(
                f"{trip.named} may not be fetched: {reason}. If it is your own, name its "
                "HOST:PORT in fetch_allow"
            )
        return target

    async def _exchange(self, line: Line, target: httpx2.URL, trip: Trip) -> Fetched | Looked | Redirect:
        try:
            response = await self._connections.send(line, self._request(target, trip))
            try:
                return await self._answer(response, target, trip)
            finally:
                await response.aclose()
        except httpcore2.TimeoutException as exc:
            raise Unavailable(f"{trip.named} was silent for {self._limits.silence:g} s") from exc
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError) as exc:
            raise Unavailable(f"{trip.named} could not be read: {cause_of(exc)}") from exc
        except (Refused, Unavailable) as exc:
            if trip.urls[0] in str(exc):
                raise
            raise type(exc)(f"{trip.named}: {exc}") from exc

    def _request(self, target: httpx2.URL, trip: Trip) -> httpcore2.Request:
        silence = self._limits.silence
        return httpcore2.Request(
            b"GET",
            httpcore2.URL(
                scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
            ),
            headers=[(b"Host", target.netloc), *self._headers, *trip.headers],
            extensions={"timeout": {"connect": silence, "read": silence, "write": silence}},
        )

    async def _answer(
        self, response: httpcore2.Response, target: httpx2.URL, trip: Trip
    ) -> Fetched | Looked | Redirect:
        stream = response.extensions["network_stream"]
        if isinstance(stream, BoundedStream):
            # Twice the body for what chunking adds to it.
            stream.allow(2 * self._limits.body_bytes + DRAINED)
        headers, status = Headers(response.headers), response.status
        if trip.look_at is not None and not (status in _REDIRECTS and headers.first("location")):
            return await _looked(response, headers, trip, trip.look_at)
        if status == 304 or 200 <= status < 300:
            return await self._fetched(response, headers, trip)
        await drain(response)
        if status in _REDIRECTS:
            return Redirect(redirect_target(headers, status, target, named=trip.named), status in _FOR_GOOD)
        error = failure(response, headers, named=trip.named)
        if isinstance(error, Gone) and not trip.is_for_good:
            # What a temporary redirect leads to says nothing for good of the address.
            raise Refused(str(error))
        raise error

    async def _fetched(self, response: httpcore2.Response, headers: Headers, trip: Trip) -> Fetched:
        is_unchanged = response.status == 304
        if is_unchanged and not trip.is_conditional:
            await drain(response)
            raise Unavailable(f"{trip.named} answers 304 Not Modified, though it was asked for everything")
        coding = "" if is_unchanged else headers.find("content-encoding") or ""
        limits = self._limits
        try:
            decoder = BodyDecoder(coding, max_bytes=limits.body_bytes, ratio=limits.ratio)
            body = await read_body(response, decoder)
        except (Refused, Unavailable) as exc:
            raise type(exc)(f"{trip.named} {exc}") from exc
        return Fetched(
            url=trip.urls[-1],
            status=response.status,
            content_type=media_type(headers),
            encoding=charset(headers),
            body=body,
            etag=headers.first("etag"),
            last_modified=headers.first("last-modified"),
            moved_to=trip.moved_to,
            fresh_for=fresh_for(headers, now=datetime.now(UTC)),
            reservation=reservation_in(headers),
            received_bytes=decoder.received,
        )


async def _looked(response: httpcore2.Response, headers: Headers, trip: Trip, most: int) -> Looked:
    body, is_whole = await read_start(response, most)
    told = headers.first("content-length") or ""
    is_told = (
        told.isascii() and told.isdecimal() and len(told) < 16 and not headers.first("transfer-encoding")
    )
    length = int(told) if is_told else None
    return Looked(
        url=trip.urls[-1],
        status=response.status,
        content_type=media_type(headers),
        length=len(body) if is_whole else length,
        body=body,
        moved_to=trip.moved_to,
    )


def _conditions(etag: str | None, last_modified: str | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield the conditional fields; a validator that cannot have come from a header is left out."""
    for name, value in ((b"If-None-Match", etag), (b"If-Modified-Since", last_modified)):
        if value and _FIELD_VALUE.fullmatch(value):
            yield name, value.encode("latin-1")


async def _permission(trip: Trip, permit: Permit | None) -> float:
    if permit is None:
        return 0.0
    try:
        return await permit(trip.urls[-1])
    except Refused as exc:
        if len(trip.urls) == 1:
            raise
        raise type(exc)(f"{trip.urls[0]} redirects: {exc}") from exc
    except Unavailable as exc:
        if len(trip.urls) == 1:
            raise
        raise Unavailable(f"{trip.urls[0]} redirects: {exc}", retry_after=exc.retry_after) from exc
