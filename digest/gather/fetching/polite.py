"""A fetcher that asks a host's robots.txt first, keeps the pause it wants, and reads what it reserves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx2

from digest.domain.errors import Disallowed, InvalidInput, Refused, Unavailable
from digest.gather.fetching.fetch import (
    ACCEPT_ANY,
    Fetched,
    Fetcher,
    Looked,
    Permit,
)
from digest.gather.fetching.reservation import (
    MAX_TDMREP_BYTES,
    TDMREP_PATH,
    reservation_of,
    reserved_patterns,
)
from digest.gather.fetching.robots import PRODUCT_TOKEN, ROBOTS_PATH, Robots
from digest.gather.urls import canonical_url

KEPT = timedelta(days=1)
"""How long what a host said holds (RFC 9309 §2.4)."""
ASKED_AGAIN = timedelta(hours=1)
"""When a robots.txt that could not be read is asked for again, unless the host names a later time."""
OUTLIVES_FAULTS = timedelta(days=30)
"""How long an earlier robots.txt serves while the present one cannot be read (RFC 9309 §2.3.1.4)."""


@dataclass(frozen=True, slots=True)
class HostRules:
    """What was learnt of one origin, as it can be stored.

    `robots` is its robots.txt cut down to what concerns us ('' allows everything), `tdmrep` its
    /.well-known/tdmrep.json ('' when there is none), `fetched_at` when both were read, None when
    robots.txt never could be: then nothing may be fetched. `error` is why it could not be read last time,
    '' when it could. After `ask_at` it is asked for again.
    """

    robots: str
    tdmrep: str
    fetched_at: datetime | None
    ask_at: datetime
    error: str = ""


class HostMemory(Protocol):
    """Where what was learnt of hosts outlives a run. `origin` is written "https://example.org:8443"."""

    async def get(self, origin: str) -> HostRules | None:
        """Return what was put for `origin` last, None when nothing was."""
        ...

    async def put(self, origin: str, rules: HostRules) -> None:
        """Keep `rules` in place of what was known of `origin`."""
        ...


class InMemory:
    """A `HostMemory` that lasts as long as it does."""

    def __init__(self) -> None:
        self.rules: dict[str, HostRules] = {}

    async def get(self, origin: str) -> HostRules | None:
        """Return what was put for `origin`."""
        return self.rules.get(origin)

    async def put(self, origin: str, rules: HostRules) -> None:
        """Keep `rules`."""
        self.rules[origin] = rules


class PermittingFetcher(Fetcher, Protocol):
    """A fetcher that asks before each request, the redirected ones too."""

    async def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = ACCEPT_ANY,
        permit: Permit | None = None,
    ) -> Fetched:
        """Return what `url` holds, see `Fetcher.fetch`."""
        ...

    async def look(
        self, url: str, *, body_bytes: int = 0, accept: str = ACCEPT_ANY, permit: Permit | None = None
    ) -> Looked:
        """Return what `url` answers, see `Looker.look`."""
        ...


@dataclass(slots=True)
class _Host:
    """One origin in this run. Whoever holds `asking` reads its robots.txt; the others wait for that."""

    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: HostRules | None = None
    robots: Robots = field(default_factory=Robots)
    reserved: tuple[tuple[str, bool], ...] = ()


class PoliteFetcher:
    """A `Fetcher` that goes where robots.txt lets it, feeds included, and at the pace that it asks for.

    Each origin's robots.txt and tdmrep.json are read by `inner` (so behind the same guard), once a day.
    `Fetched.reservation` holds what the site's tdmrep.json reserves where the answer itself reserves nothing.
    """

    def __init__(
        self,
        inner: PermittingFetcher,
        *,
        memory: HostMemory | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._inner = inner
        self._memory = memory if memory is not None else InMemory()
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = ACCEPT_ANY
    ) -> Fetched:
        """Return what `url` holds, see `Fetcher.fetch`.

        Raises `Refused` when robots.txt disallows it or what it redirects to, and `Unavailable` while
        robots.txt cannot be read: a host in trouble is left alone (RFC 9309 §2.3.1.4).
        """
        fetched = await self._inner.fetch(
            url, etag=etag, last_modified=last_modified, accept=accept, permit=self._permit
        )
        if fetched.reservation:
            return fetched
        host = await self._host(origin_of(fetched.url))
        return replace(fetched, reservation=reservation_of(fetched.url, host.reserved))

    async def look(self, url: str, *, body_bytes: int = 0, accept: str = ACCEPT_ANY) -> Looked:
        """Return what `url` answers, see `Looker.look`.

        Raises `Disallowed` when robots.txt keeps us from asking, and as `fetch` does.
        """
        return await self._inner.look(url, body_bytes=body_bytes, accept=accept, permit=self._permit)

    async def robots(self, url: str) -> Robots:
        """Return what the robots.txt of `url`'s host says to us, its sitemaps too.

        Raises `Unavailable` while it cannot be read, `InvalidInput` when `url` is none.
        """
        return await self._robots(canonical_url(url))

    async def _permit(self, url: str) -> float:
        robots = await self._robots(url)
        if not robots.allows(url):
            host = httpx2.URL(url).netloc.decode("ascii")
            raise Disallowed(f"{ROBOTS_PATH[1:]} of {host} does not allow {PRODUCT_TOKEN} to fetch {url}")
        return robots.crawl_delay.total_seconds()

    async def _robots(self, url: str) -> Robots:
        origin = origin_of(url)
        host = await self._host(origin)
        rules = host.rules
        if rules is not None and not _may_serve(rules, self._clock()):
            raise Unavailable(
                f"{url} is not fetched while {origin}{ROBOTS_PATH} cannot be read: {rules.error}",
                retry_after=max(rules.ask_at - self._clock(), timedelta(0)),
            )
        return host.robots

    async def _host(self, origin: str) -> _Host:
        """Return a host whose rules are of today."""
        host = self._hosts.setdefault(origin, _Host())
        async with host.asking:
            if host.rules is None and (kept := await self._memory.get(origin)) is not None:
                _take(host, kept)
            if host.rules is None or host.rules.ask_at <= self._clock():
                learnt = await self._learn(origin, host.rules)
                _take(host, learnt)
                await self._memory.put(origin, learnt)
        return host

    async def _learn(self, origin: str, earlier: HostRules | None) -> HostRules:
        try:
            robots = await self._read_robots(origin)
        except Unavailable as exc:
            wait = min(max(exc.retry_after or ASKED_AGAIN, ASKED_AGAIN), KEPT)
            before = earlier or HostRules("", "", None, self._clock())
            return replace(before, ask_at=self._clock() + wait, error=str(exc))
        tdmrep = await self._read_tdmrep(origin, robots, earlier)
        now = self._clock()
        return HostRules(str(robots), tdmrep, now, now + KEPT)

    async def _read_robots(self, origin: str) -> Robots:
        try:
            fetched = await self._inner.fetch(origin + ROBOTS_PATH, accept="text/plain, */*;q=0.5")
        except Refused:
            # No robots.txt (RFC 9309 §2.3.1.3), or one behind too many redirects: everything is allowed,
            # and where the guard said no it says no again.
            return Robots()
        return Robots.parse(fetched.body)

    async def _read_tdmrep(self, origin: str, robots: Robots, earlier: HostRules | None) -> str:
        url = origin + TDMREP_PATH
        if not robots.allows(url):
            return ""
        try:
            fetched = await self._inner.fetch(url, accept="application/json, */*;q=0.1")
        except Refused:
            return ""
        except Unavailable:
            return earlier.tdmrep if earlier else ""
        document = fetched.body[:MAX_TDMREP_BYTES].decode("utf-8-sig", "replace")
        return document if reserved_patterns(document) else ""


def origin_of(url: str) -> str:
    """Return the origin of an http(s) URL, such as "https://example.org" or "http://example.org:8080".

    Raises `Refused` when it has none.
    """
    try:
        canonical_url(url)
        parsed = httpx2.URL(url.strip())
    except InvalidInput as exc:
        raise Refused(f"{url} cannot be fetched: {exc}") from exc
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.raw_host.decode("ascii")
    is_default = parsed.port in (None, 443 if parsed.scheme == "https" else 80)
    return f"{parsed.scheme}://{host}" + ("" if is_default else f":{parsed.port}")


def _may_serve(rules: HostRules, now: datetime) -> bool:
    return rules.fetched_at is not None and now - rules.fetched_at < OUTLIVES_FAULTS


def _take(host: _Host, rules: HostRules) -> None:
    host.rules = rules
    host.robots = Robots.parse(rules.robots.encode())
    host.reserved = reserved_patterns(rules.tdmrep)
