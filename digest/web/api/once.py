"""A request with an `Idempotency-Key` is done once, however often it is sent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from digest.domain.api_tokens import TokenId
from digest.domain.errors import DigestError
from digest.runtime import Runtime
from digest.store.database import writing
from digest.store.kept_answers import KeptAnswer, begin_answer, give_key_back, keep_answer
from digest.web.api.problems import KEY_IN_USE, KEY_OPEN, KEY_REUSED, UNREADABLE, Refusal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
"""The header of an answer that was kept."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_UNDER_WAY = timedelta(minutes=5)
"""No request takes longer: whoever had the key for so long without an answer ended without one."""

_KEPT_HEADERS = ("location", "etag")
_TOLD_ONCE = ("secret", "link")
"""Fields of an answer that open something."""

_CHANGED_NOTHING = (DigestError, RequestValidationError, HTTPException, Refusal)


async def once(
    request: Request, token_id: TokenId, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Answer a request, or give the answer it got before when its key is known.

    An answer that says no is not kept: nothing was changed, and the same request may be sent again.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method == "GET":
        return await answer(request)
    if not _KEY.fullmatch(key):
        raise Refusal(UNREADABLE, f"{HEADER} is to be 1 to 255 visible characters of ASCII, such as a UUID")
    runtime: Runtime = request.app.state.runtime
    asked = _fingerprint(request, await request.body())
    known = await run_in_threadpool(_begin, runtime, token_id, key, asked)
    if known is not None:
        return _as_before(known, asked, runtime)
    try:
        response = await answer(request)
    except _CHANGED_NOTHING:
        await run_in_threadpool(_give_back, runtime, token_id, key)
        raise
    await run_in_threadpool(_keep, runtime, token_id, key, response)
    return response


def _fingerprint(request: Request, body: bytes) -> str:
    asked = "\n".join(
        (request.method, request.url.path, request.url.query, request.headers.get("if-match", ""))
    )
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass") + b"\0" + body).hexdigest()


def _as_before(known: KeptAnswer, asked: str, runtime: Runtime) -> Response:
    if known.request != asked:
        raise Refusal(KEY_REUSED, f"this {HEADER} was sent with another request: use a new one")
    if known.status is None:
        if runtime.clock() - known.begun_at >= _UNDER_WAY:
            raise Refusal(
                KEY_OPEN,
                f"a request with this key was begun at {known.begun_at:%Y-%m-%d %H:%M} UTC, and no answer "
                "was kept: look at how things stand, then use a new key",
            )
        raise Refusal(
            KEY_IN_USE,
            "a request with this key is under way: send it again in a second",
            {"Retry-After": "1"},
        )
    headers = {**known.headers, REPLAYED: "true"}
    return Response(known.body or None, known.status, headers, media_type="application/json")


def _begin(runtime: Runtime, token_id: TokenId, key: str, asked: str) -> KeptAnswer | None:
    with writing(runtime.engine) as session:
        return begin_answer(session, token_id, key, asked, now=runtime.clock())


def _give_back(runtime: Runtime, token_id: TokenId, key: str) -> None:
    with writing(runtime.engine) as session:
        give_key_back(session, token_id, key)


def _without_secret(body: str) -> str:
    """Return an answer as it may be kept: what is told once is told to who got the first answer."""
    if not any(f'"{name}"' in body for name in _TOLD_ONCE):
        return body
    told = json.loads(body)
    kept = {name: "" for name in _TOLD_ONCE if name in told}
    return json.dumps({**told, **kept}, ensure_ascii=False) if kept else body


def _keep(runtime: Runtime, token_id: TokenId, key: str, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    with writing(runtime.engine) as session:
        keep_answer(
            session,
            token_id,
            key,
            status=response.status_code,
            headers=headers,
            body=_without_secret(bytes(response.body).decode()),
        )
