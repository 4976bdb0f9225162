"""The server elsewhere: one request and its answer, what is wrong as the command's own errors."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from digest.cli.remote.place import TOKEN_FILE, TOKEN_VARIABLE, place
from digest.domain.errors import DigestError, InvalidInput, Misconfigured, Unavailable

_SECONDS = 60.0
_TRIES = 3
_PAGE = 200


class Server:
    """A server that is asked over its API. A request that got no answer is sent again, and done once."""

    def __init__(self, address: str, token: str) -> None:
        self._client = httpx2.Client(
            base_url=f"{address.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_SECONDS,
            trust_env=False,
            follow_redirects=False,
        )
        self._name = urlsplit(address).netloc

    @classmethod
    def meant(cls) -> Server:
        """Return the server that the command is for. Raises `Misconfigured` with what is missing."""
        found = place()
        address, named_by = found.address, found.named_by
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misconfigured(
                f"{named_by}: '{address}' is no address; write it like https://digest.example.org"
            )
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise Misconfigured(f"{named_by}: {address} would have the token sent in the open; use https")
        token = found.token()
        if not token:
            raise Misconfigured(
                f"{TOKEN_VARIABLE} is not set, and {parts.netloc} asks for a token: give one there or by "
                f"{TOKEN_FILE} FILE. Its page 'Your tokens' makes one, or 'digest token add' on the server"
            )
        return cls(address, token)

    def get(self, path: str, **query: Any) -> Any:
        """Return what is told at `path`. Raises the errors of `send`."""
        return self.send("GET", path, query=query)

    def send(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: object = None
    ) -> Any:
        """Send a request and return what was answered, None for nothing.

        Raises `InvalidInput` with the server's own words for what was asked wrongly, `Unavailable` when it
        is not reached, and `DigestError` for the rest.
        """
        asked = {name: value for name, value in (query or {}).items() if value not in (None, "")}
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid4())}
        for left in reversed(range(_TRIES)):
            try:
                response = self._client.request(
                    method,
                    path,
                    params=asked,
                    json=body,
                    headers=headers,
                )
                break
            except httpx2.HTTPError as exc:
                if not left:
                    raise Unavailable(f"{self._name} does not answer: {exc or type(exc).__name__}") from exc
        return self._told(response)

    def every(self, path: str, **query: object) -> Iterator[Any]:
        """Yield all of a list, a page at a time."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def first(self, path: str, *, limit: int, **query: object) -> list[Any]:
        """Return up to `limit` of a list."""
        found: list[Any] = []
        for one in self.every(path, limit=min(limit, _PAGE), **query):
            found.append(one)
            if len(found) >= limit:
                break
        return found

    def _told(self, response: httpx2.Response) -> Any:
        kind = response.headers.get("content-type", "").partition(";")[0]
        if response.status_code == 204:
            return None
        if response.is_success and kind == "application/json":
            return response.json()
        if kind != "application/problem+json":
            raise Unavailable(
                f"{self._name} answers {response.status_code}, and not as the API of Digest does"
            )
        said = f"{self._name}: {response.json()['detail']}"
        if response.status_code == 503:
            raise Unavailable(said)
        raise InvalidInput(said) if response.is_client_error else DigestError(said)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
