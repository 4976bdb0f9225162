"""One request to a provider and its answer: bounded in time and size, no redirect followed, no proxy used."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import httpx2

from digest.domain.errors import Ambiguous, Unavailable

MOST_BYTES = 64 * 1024
"""Of an answer that are read; a real one has some hundred."""

_CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, ready to be sent as it stands. Its headers hold the key, so they are never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back whole. `headers` have names in small letters; `content` is '' when it was too long."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> object:
        """Return what the body says, None when it is no JSON."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    def field(self, *names: str) -> str:
        """Return the first of these members of the body that is a text, '' for none."""
        found = self.json()
        values = [found.get(name) for name in names] if isinstance(found, dict) else []
        return next((value for value in values if isinstance(value, str)), "")


def new_client(seconds: float) -> httpx2.AsyncClient:
    """Return a client with one connection of its own, which takes at most `seconds` to connect."""
    return httpx2.AsyncClient(
        verify=_tls(),
        trust_env=False,
        follow_redirects=False,
        limits=httpx2.Limits(max_connections=1),
        # A whole exchange has its own limit; only what ends before the request begins is told apart.
        timeout=httpx2.Timeout(None, connect=min(_CONNECT_SECONDS, seconds)),
    )


async def exchange(client: httpx2.AsyncClient, ask: Ask, *, seconds: float) -> Answer:
    """Send `ask` and return the answer.

    Raises `Unavailable` when there was no connection to send anything over, and `Ambiguous` when the request
    had begun and no whole answer came within `seconds`.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _exchanged(client, ask)
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as exc:
        raise Unavailable(f"no connection to {_host(ask)}: {exc or 'timed out'}") from exc
    except TimeoutError as exc:
        raise Ambiguous(f"no answer from {_host(ask)} within {seconds:g} s") from exc
    except (httpx2.HTTPError, OSError) as exc:  # a broken TLS record comes as it is
        raise Ambiguous(f"no answer from {_host(ask)}: {exc or type(exc).__name__}") from exc


async def _exchanged(client: httpx2.AsyncClient, ask: Ask) -> Answer:
    # What is not compressed cannot grow when it is unpacked.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **ask.headers}
    async with client.stream(ask.method, ask.url, content=ask.content, headers=headers) as response:
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > MOST_BYTES:
                content.clear()
                break
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, names, bytes(content))


def _host(ask: Ask) -> str:
    return httpx2.URL(ask.url).netloc.decode()


@cache
def _tls() -> ssl.SSLContext:
    """Read the machine's certificates once: it takes 20 ms, and each conversation has a client."""
    return httpx2.create_ssl_context(trust_env=False)
