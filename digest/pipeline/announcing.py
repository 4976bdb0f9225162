"""Endpoints are called: each event signed, tried again with growing pauses, and logged with the answer."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from digest.domain.endpoints import GIVEN_UP_AFTER, Call, CallState, Endpoint, sign
from digest.domain.errors import DigestError, InvalidInput
from digest.pipeline.ops import tell_ops
from digest.runtime import Runtime
from digest.store.announcements import (
    are_calls_due,
    claim_calls,
    forget_calls,
    give_up_calls,
    record_call,
)
from digest.store.database import reading, writing
from digest.store.endpoints import get_endpoint, note_failing, note_taken, secrets_of, turn_off

if TYPE_CHECKING:
    from digest.gather.fetching.guarded import Resolve

log = structlog.get_logger(__name__)

AT_ONCE = 20
SECONDS = 15.0
"""How long an endpoint has for its answer. It should take a call, answer, and then begin with it."""

_LEASE = timedelta(seconds=60)
_TASK_SECONDS = 40.0
_GONE = 410
_VISIBLE = re.compile(r"[!-~]+")
_SAID_MAX = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered: its status and how its body begins; None and what was wrong for nothing."""

    status: int | None
    said: str

    @property
    def is_taken(self) -> bool:
        """Whether it took the call: any 2xx, and nothing else. A redirect is not followed."""
        return self.status is not None and 200 <= self.status < 300


def parse_endpoint_url(runtime: Runtime, text: str) -> str:
    """Return an address that may be called. Raises `InvalidInput` with what is wrong with it.

    A name is resolved when it is called, and refused then where it leads inside.
    """
    from digest.gather.fetching.guard import Guard

    url = text.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise InvalidInput(f"'{url[:100]}' is not an address: {exc}") from exc
    if parts.scheme not in ("http", "https") or not host or not _VISIBLE.fullmatch(url):
        raise InvalidInput(f"'{url[:100]}' is not an address that can be called: use one such as https://…")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("leave user and password out of the address: calls are signed instead")
    port = port or (443 if parts.scheme == "https" else 80)
    guard = Guard.allowing(runtime.settings.fetch_allow)
    if parts.scheme == "http" and f"{host}:{port}" not in guard.endpoints:
        raise InvalidInput(f"'{url[:100]}' would be called in the open: use https")
    why = guard.why_not_port(host, port) or (guard.why_not(host, port, [host]) if _is_ip(host) else None)
    if why:
        raise InvalidInput(f"'{url[:100]}' may not be called: {why}")
    return url


def calls_due(runtime: Runtime) -> bool:
    """Return whether an endpoint is to be called now."""
    with reading(runtime.engine) as session:
        return are_calls_due(session, now=runtime.clock())


def make_calls(runtime: Runtime, *, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Make the calls that are due, for most of a minute; return how many were tried."""
    ends, made = time.monotonic() + _TASK_SECONDS, 0
    with writing(runtime.engine) as session:
        forget_calls(session, now=runtime.clock())
    while time.monotonic() < ends and not should_stop():
        with writing(runtime.engine) as session:
            calls = claim_calls(session, now=runtime.clock(), limit=AT_ONCE, lease=_LEASE)
        if not calls:
            break
        asyncio.run(_make(runtime, calls))
        made += len(calls)
    return made


async def _make(runtime: Runtime, calls: tuple[Call, ...]) -> None:
    from digest.gather.fetching.guarded import SystemResolver

    resolver = SystemResolver()
    try:
        await asyncio.gather(*(_call(runtime, call, resolver) for call in calls))
    finally:
        resolver.close()


async def _call(runtime: Runtime, call: Call, resolver: Resolve) -> None:
    now = runtime.clock()
    with reading(runtime.engine) as session:
        endpoint = get_endpoint(session, call.endpoint_id)
        secrets = secrets_of(session, call.endpoint_id, now=now)
    headers = {
        "webhook-id": call.event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(sign(secret, call.event_id, now, call.body) for secret in secrets),
        "content-type": "application/json",
        "user-agent": "Digest",
    }
    answer = await post(runtime, endpoint.url, headers, call.body.encode(), resolver)
    _record(runtime, endpoint, call, answer)


async def post(
    runtime: Runtime, url: str, headers: Mapping[str, str], body: bytes, resolver: Resolve
) -> Answer:
    """Post to a stranger's address through the guard, and return what it answered within `SECONDS`."""
    import httpcore2

    from digest.gather.fetching.guard import Guard
    from digest.gather.fetching.guarded import GuardedBackend

    backend = GuardedBackend(Guard.allowing(runtime.settings.fetch_allow), resolver=resolver)
    host = urlsplit(url).netloc
    sent = [("host", host), ("accept-encoding", "identity"), ("content-length", str(len(body)))]
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpcore2.AsyncConnectionPool(ssl_context=_tls(), network_backend=backend) as pool,
            pool.stream("POST", url, headers=[*sent, *headers.items()], content=body) as response,
        ):
            said = b""
            async for chunk in response.aiter_stream():
                said += chunk
                if len(said) >= _SAID_MAX:
                    break
            return Answer(response.status, said[:_SAID_MAX].decode("utf-8", "replace"))
    except DigestError as exc:
        return Answer(None, str(exc))
    except TimeoutError:
        return Answer(None, f"no answer within {SECONDS:g} s")
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError) as exc:
        return Answer(None, f"no answer: {exc or type(exc).__name__}")


@cache
def _tls() -> ssl.SSLContext:
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


def _record(runtime: Runtime, endpoint: Endpoint, call: Call, answer: Answer) -> None:
    now = runtime.clock()
    why_off = ""
    with writing(runtime.engine) as session:
        state = record_call(
            session, call, is_taken=answer.is_taken, status=answer.status, answer=answer.said, now=now
        )
        if answer.is_taken:
            note_taken(session, endpoint.id)
        elif (since := note_failing(session, endpoint.id, now=now)) and not endpoint.is_off:
            if answer.status == _GONE:
                why_off = "it answered 410: gone for good"
            elif now - since >= GIVEN_UP_AFTER:
                why_off = f"it took nothing since {since:%Y-%m-%d}: {answer.status or answer.said}"
        if why_off:
            turn_off(session, endpoint.id, why=why_off)
            give_up_calls(session, endpoint.id)
    log.info(
        "endpoint.called",
        endpoint=endpoint.id,
        call=call.id,
        kind=call.kind.value,
        status=answer.status,
        state=state.value,
    )
    if state is CallState.GIVEN_UP or why_off:
        log.warning("endpoint.given_up", endpoint=endpoint.id, call=call.id, reason=why_off or answer.said)
    if why_off:
        tell_ops(
            runtime,
            f"Endpoint {endpoint.id} is told nothing more",
            f"{endpoint.url} was turned off, as {why_off}.",
            to_do="Mend it, turn it on again, and have the calls of its log made again that it missed.",
        )


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
