"""Fetching what a source names: the port, and its implementation over HTTP.

A fetch trusts nothing it is told: addresses are vetted (`guarded`), redirects one by one, and a body is read
no further than its limits, whatever the server says about its length.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol, Self

import httpcore2
import httpx2

from digest.domain.errors import InvalidInput, Refused, Unavailable
from digest.gather.guard import Guard
from digest.gather.guarded import GuardedBackend, GuardedTransport, Resolve, resolve
from digest.gather.urls import canonical_url

ACCEPT_ANY = "text/html, application/xhtml+xml, text/plain;q=0.8, */*;q=0.5"
ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.5, */*;q=0.1"
)

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset({408, 421, 423, 425, 429})
_DECODABLE = frozenset({"", "identity", "gzip", "deflate"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL answered.

    `url` is where the last redirect led. `content_type` is the media type alone, in lower case ('' when
    the server named none), `encoding` its charset as the server wrote it. `body` is decoded from any
    Content-Encoding and empty when `status` is 304: nothing changed since `etag` or `last_modified`,
    both opaque and to be given back as they are.
    """

    url: str
    status: int
    content_type: str
    encoding: str | None
    body: bytes
    etag: str | None = None
    last_modified: str | None = None


class Fetcher(Protocol):
    """Where gather gets its bytes from."""

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = ACCEPT_ANY
    ) -> Fetched:
        """Return what `url` holds.

        Raises `Unavailable` when trying again later may help (no answer in time, no such host at the moment,
        429, 5xx) and `Refused` when it will not (4xx, a denied address, too large). Both name the URL.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's server is put up with.

    `body_bytes` counts decoded bytes, `ratio` is decoded over received bytes and applies from the first
    decoded MiB on, `seconds` is for the whole fetch with its redirects, `silence` for each single wait.
    """

    body_bytes: int = 8 * 1024 * 1024
    ratio: int = 100
    seconds: float = 30.0
    silence: float = 10.0


DEFAULT_LIMITS = Limits()


class HttpFetcher:
    """Fetches over HTTP(S), with connections kept for the next fetch: an asynchronous context manager.

    `contact` is the URL the User-Agent gives, so that a site can tell who asks and complain. `allow` names
    "host:port" and CIDR exceptions to the guard, for servers on loopback; leave it empty elsewhere.
    Cookies are not kept and proxy variables not read.
    """

    def __init__(
        self,
        *,
        contact: str,
        allow: Collection[str] = frozenset(),
        limits: Limits = DEFAULT_LIMITS,
        connections: int = 20,
        backend: httpcore2.AsyncNetworkBackend | None = None,
        resolver: Resolve = resolve,
    ) -> None:
        self._guard = Guard.allowing(allow)
        self._limits = limits
        guarded = GuardedBackend(self._guard, inner=backend, resolver=resolver)
        self._client = httpx2.AsyncClient(
            transport=GuardedTransport(guarded, connections=connections),
            headers={"User-Agent": f"Digest/0.1 (+{contact})", "Accept-Encoding": "gzip, deflate"},
            timeout=httpx2.Timeout(limits.silence, pool=limits.seconds),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = ACCEPT_ANY
    ) -> Fetched:
        """Return what `url` holds, see `Fetcher.fetch`."""
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(url, headers)
        except TimeoutError as exc:
            raise Unavailable(f"{url} did not answer within {self._limits.seconds:g} s") from exc
        except (httpx2.TimeoutException, httpcore2.TimeoutException) as exc:
            raise Unavailable(f"{url} was silent for {self._limits.silence:g} s") from exc
        except httpx2.DecodingError as exc:
            raise Refused(f"{url} sent a body that does not decompress: {exc}") from exc
        except (httpx2.TransportError, httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError) as exc:
            raise Unavailable(f"{url} could not be read: {exc or type(exc).__name__}") from exc

    async def _follow(self, url: str, headers: dict[str, str]) -> Fetched:
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._ask(asked, headers, first=url)
            if isinstance(answer, Fetched):
                return answer
            asked = answer
        raise Refused(f"{url} redirects more than {MAX_REDIRECTS} times, last to {asked}")

    async def _ask(self, asked: str, headers: dict[str, str], *, first: str) -> Fetched | str:
        """Return what `asked` holds, or the URL it redirects to. `first` is the URL an error names."""
        target = self._target(asked, first)
        try:
            async with self._client.stream("GET", target, headers=headers) as response:
                if response.status_code in _REDIRECTS:
                    return _location(response, first)
                _check_status(response, first)
                return _fetched(response, await self._body(response, first))
        except (Refused, Unavailable) as exc:
            raise type(exc)(str(exc) if first in str(exc) else f"{_named(first, asked)}: {exc}") from exc

    def _target(self, asked: str, first: str) -> httpx2.URL:
        try:
            canonical_url(asked)
            target = httpx2.URL(asked)
        except InvalidInput as exc:
            raise Refused(f"{_named(first, asked)} cannot be fetched: {exc}") from exc
        port = target.port or (443 if target.scheme == "https" else 80)
        reason = self._guard.why_not_port(target.raw_host.decode("ascii"), port)
        if reason:
            raise Refused(
                f"{_named(first, asked)} may not be fetched: {reason}. If it is your own, name its "
                "HOST:PORT in fetch_allow"
            )
        return target

    async def _body(self, response: httpx2.Response, first: str) -> bytes:
        """Read the body within the limits. httpx2 decodes at most 1 MiB at a time, so a bomb stops early."""
        if response.status_code == 304:
            return b""
        encodings = {
            coding.strip().lower() for coding in response.headers.get("content-encoding", "").split(",")
        }
        if not encodings <= _DECODABLE:
            raise Refused(f"{first} is compressed as {', '.join(sorted(encodings))}, which was not asked for")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._limits.body_bytes:
                raise Refused(f"{first} is larger than {_mib(self._limits.body_bytes)}: not read further")
            if len(body) > max(1 << 20, self._limits.ratio * response.num_bytes_downloaded):
                raise Refused(
                    f"{first} decompresses to over {self._limits.ratio} times its size: not read further"
                )
        return bytes(body)


def _named(first: str, asked: str) -> str:
    return first if asked == first else f"{first} (redirected to {asked})"


def _mib(size: int) -> str:
    return f"{size / (1 << 20):g} MiB"


def _location(response: httpx2.Response, first: str) -> str:
    location = response.headers.get("location")
    if not location:
        raise Refused(f"{first} answers {response.status_code} without saying where to go")
    try:
        return str(response.request.url.join(location))
    except (httpx2.InvalidURL, ValueError) as exc:
        raise Refused(f"{first} redirects to '{location[:120]}', which is not a URL") from exc


def _check_status(response: httpx2.Response, first: str) -> None:
    status = response.status_code
    if status == 304 or 200 <= status < 300:
        return
    said = f"{first} answers {status} {response.reason_phrase}".rstrip()
    if status in _LATER or status >= 500:
        after = response.headers.get("retry-after")
        raise Unavailable(f"{said}; it asks to wait: {after[:40]}" if after else said)
    raise Refused(said)


def _fetched(response: httpx2.Response, body: bytes) -> Fetched:
    headers = response.headers
    return Fetched(
        url=str(response.request.url),
        status=response.status_code,
        content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        encoding=response.charset_encoding,
        body=body,
        etag=headers.get("etag"),
        last_modified=headers.get("last-modified"),
    )
