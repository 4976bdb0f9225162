"""An answer over HTTP after its header: its body within bounds, its redirect, its refusal, in words."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import httpcore2
import httpx2

from digest.domain.errors import Gone, Refused, Unavailable
from digest.gather.fetching.decoding import BodyDecoder
from digest.gather.fetching.headers import Headers, retry_after
from digest.gather.urls import shown_url

ErrorT = TypeVar("ErrorT", bound=BaseException)

_LATER = frozenset({408, 421, 423, 425, 429})
DRAINED = 64 * 1024
"""An answer we do not want is read to its end when it is no longer than this, to keep its connection."""
_DRAIN_SECONDS = 1.0
_FREE_PIECES = 4096
_PIECE = 64
"""Pieces (chunks of Transfer-Encoding: chunked) have to be this long on average after the first so many."""


async def read_body(response: httpcore2.Response, decoder: BodyDecoder) -> bytes:
    """Return the decoded body. Raises `Refused` and `Unavailable` with predicates, as `BodyDecoder` does."""
    body, pieces = bytearray(), 0
    async with aclosing(response.aiter_stream()) as chunks:
        async for chunk in chunks:
            pieces += 1
            if pieces > _FREE_PIECES + decoder.received // _PIECE:
                raise Refused("sends its body in crumbs: not read further")
            body += decoder.feed(chunk)
    decoder.finish()
    return bytes(body)


async def read_start(response: httpcore2.Response, most: int) -> tuple[bytes, bool]:
    """Return up to `most` bytes of the body as it comes, and whether that is all of it."""
    if most <= 0:
        await drain(response)
        return b"", False
    body, pieces = bytearray(), 0
    async with aclosing(response.aiter_stream()) as chunks:
        async for chunk in chunks:
            pieces += 1
            body += chunk
            if len(body) > most or pieces > _FREE_PIECES + len(body) // _PIECE:
                return bytes(body[:most]), False
    return bytes(body), True


async def drain(response: httpcore2.Response) -> None:
    """Read an answer that is not wanted to its end if that is near, so that its connection can be kept."""
    size = 0
    with suppress(TimeoutError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError):
        async with asyncio.timeout(_DRAIN_SECONDS), aclosing(response.aiter_stream()) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size > DRAINED:
                    return


def redirect_target(headers: Headers, status: int, asked: httpx2.URL, *, named: str) -> str:
    """Return the URL that a redirect leads to. Raises `Refused` when it leads nowhere."""
    location = (headers.first("location") or "").strip()
    if not location:
        raise Refused(f"{named} answers {status} without saying where to go")
    try:
        # A location ought to be ASCII; what is not is UTF-8 in practice.
        location = location.encode("latin-1").decode("utf-8", "replace")
        return str(asked.join(location).copy_with(fragment=None))
    except (httpx2.InvalidURL, ValueError) as exc:
        raise Refused(f"{named} redirects to '{shown_url(location)}', which is not a URL") from exc


def failure(response: httpcore2.Response, headers: Headers, *, named: str) -> Refused | Unavailable:
    """Return the error that a status other than a success or a redirect means."""
    status = response.status
    reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
    said = f"{named} answers {status} {shown(reason)}".rstrip()
    if status == 410:
        return Gone(f"{said}: it was taken away for good")
    if status not in _LATER and status < 500:
        return Refused(said)
    after = retry_after(headers, now=datetime.now(UTC))
    wait = f"; it asks to wait {_duration(after)}" if after else ""
    return Unavailable(f"{said}{wait}", retry_after=after)


def cause_of(exc: Exception) -> str:
    """Say what went wrong on the wire."""
    certificate = _found(exc, ssl.SSLCertVerificationError)
    if certificate is not None:
        return f"its certificate cannot be trusted ({certificate.verify_message})"
    if isinstance(exc, httpcore2.ProtocolError):
        return f"its answer is not HTTP as it should be ({shown(str(exc)) or type(exc).__name__})"
    return shown(str(exc)) or "the connection broke off"


def _found(exc: BaseException | None, kind: type[ErrorT]) -> ErrorT | None:
    """Return the first error of a kind among those that led to `exc`."""
    while exc is not None and not isinstance(exc, kind):
        exc = exc.__cause__ or exc.__context__
    return exc


def _duration(wait: timedelta) -> str:
    seconds = int(wait.total_seconds())
    return f"{seconds} s" if seconds < 3600 else f"{seconds / 3600:.3g} h"


def shown(text: str) -> str:
    """Return a stranger's words as they can be shown: printable, and not long."""
    return "".join(char if char.isprintable() else "�" for char in text[:120])
