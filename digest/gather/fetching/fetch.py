"""What gather asks of whoever fetches, and what it gets: the port, implemented in `http` and `polite`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

ACCEPT_ANY = "text/html, application/xhtml+xml, text/plain;q=0.8, */*;q=0.5"
ACCEPT_FEED = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.5, */*;q=0.1"
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL answered.

    `url` is where the last redirect led. `content_type` is the media type alone, in lower case ('' when
    the server named none), `encoding` its charset as the server wrote it. `body` is decoded from any
    Content-Encoding and empty when `status` is 304: nothing changed since `etag` or `last_modified`,
    both opaque and to be given back as they are.

    `moved_to` is `url` when every redirect on the way there was for good (301, 308), else None.
    `fresh_for` is how long the server says that asking again is no use, None when it says nothing.
    `reservation` is by what the publisher keeps text mining or AI out, in words, '' when by nothing.
    `received_bytes` counts the body as it came over the wire.
    """

    url: str
    status: int
    content_type: str
    encoding: str | None
    body: bytes
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    fresh_for: timedelta | None = None
    reservation: str = ""
    received_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """What a URL answers, whatever the status, looked at without taking all of it.

    `url` is where the last redirect led, `moved_to` the same when every redirect was for good, else None.
    `content_type` is as in `Fetched`. `length` is how many bytes the body has, None when it was not told and
    there are more than were read; `body` is what was read of it, as it came over the wire.
    """

    url: str
    status: int
    content_type: str
    length: int | None
    body: bytes
    moved_to: str | None = None


class Fetcher(Protocol):
    """Where gather gets its bytes from."""

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = ACCEPT_ANY
    ) -> Fetched:
        """Return what `url` holds.

        Raises `Unavailable` when trying again later may help (no answer in time, no such host at the moment,
        429, 5xx; with `retry_after` when the server says when), `Gone` for 410, and `Refused` when trying
        again will not help (other 4xx, a denied address, too large). All name the URL.
        """
        ...


class Looker(Protocol):
    """Who looks at what stands at an address, and takes no more than that."""

    async def look(self, url: str, *, body_bytes: int = 0, accept: str = ACCEPT_ANY) -> Looked:
        """Return what `url` answers, whatever its status, and up to `body_bytes` of the body.

        Raises `Refused` for what may not be asked or redirects without end, `NoSuchHost` and `Unavailable`
        when there was no answer.
        """
        ...


Permit = Callable[[str], Awaitable[float]]
"""Asked before each request with its URL. Returns the pause in seconds that its origin wants between two
requests; raises `Refused` or `Unavailable` when it may not be asked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's server is put up with.

    `body_bytes` counts decoded bytes, `ratio` is decoded over received bytes and applies from the first
    decoded MiB on. `seconds` is for the whole fetch with its redirects, without the time it waits for its
    turn at a host; `silence` is for each single wait.
    """

    body_bytes: int = 8 * 1024 * 1024
    ratio: int = 100
    seconds: float = 30.0
    silence: float = 10.0


DEFAULT_LIMITS = Limits()
