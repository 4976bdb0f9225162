"""Who calls, and whether they may: a token, its rights, and its pace. No call goes round this."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypedDict

import structlog
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from digest.domain.accounts import AccountId, Right
from digest.domain.api_tokens import PREFIX, ApiToken, TokenId
from digest.runtime import Runtime
from digest.store.along import written_along
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.tokens import find_token, is_use_to_be_noted, note_use, owner_of, spend
from digest.web.api.once import once
from digest.web.api.pace import Pace
from digest.web.api.problems import NO_TOKEN, NOT_ALLOWED, TOO_MANY, Refusal

log = structlog.get_logger(__name__)

_RIGHT = "x-right"
_ASK = {"WWW-Authenticate": 'Bearer realm="Digest"'}


class Asked(TypedDict):
    """What `asks` gives a route."""

    openapi_extra: dict[str, Any]


def asks(right: Right) -> Asked:
    """Return what a route is declared with so that only who has this right may call it."""
    return {"openapi_extra": {_RIGHT: right.value}}


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that came with a token that works.

    `name` stands beside what it does: its account's, as what somebody does by a program they did themselves,
    else the token's own. It has the token's rights as far as the account has them, too.
    """

    token_id: TokenId
    name: str
    rights: frozenset[Right]
    account_id: AccountId | None = None


class Call(APIRoute):
    """A route of the API: it is entered with a token that has the right it asks for, and no other way.

    Before anything of the request is read, so that nobody learns more than that a token is needed.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.right = Right((self.openapi_extra or {}).get(_RIGHT, "no right at all"))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request: who calls comes first."""
        answer = super().get_route_handler()

        async def answer_who_may(request: Request) -> Response:
            caller = await run_in_threadpool(_caller_of, request)
            if self.right not in caller.rights:
                has = ", ".join(sorted(caller.rights)) or "none"
                raise Refusal(NOT_ALLOWED, f"that needs the right '{self.right}'; this token has {has}")
            request.state.caller = caller
            return await once(request, caller.token_id, answer_and_record)

        async def answer_and_record(request: Request) -> Response:
            with written_along(lambda session: _write_down(session, request)):
                return await answer(request)

        return answer_who_may


def _caller_of(request: Request) -> Caller:
    runtime: Runtime = request.app.state.runtime
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX):
        raise Refusal(
            NO_TOKEN,
            f"send a token, as in 'Authorization: Bearer {PREFIX}…': your page /account/tokens makes one, or "
            "'digest token add' on the server",
            _ASK,
        )
    now = runtime.clock()
    with reading(runtime.engine) as session:
        token = find_token(session, secret)
        owner = owner_of(session, token) if token else None
    if token is None or not token.is_valid(now):
        log.warning("api.token_refused", begins=token.hint if token else "", known=token is not None)
        raise Refusal(
            NO_TOKEN,
            f"this token expired on {token.expires_at:%Y-%m-%d}: make a new one"
            if token and token.expires_at
            else "this token is not one of ours, or was removed",
            {**_ASK, "WWW-Authenticate": f'{_ASK["WWW-Authenticate"]}, error="invalid_token"'},
        )
    _count(request, runtime, token, now)
    if owner is None:
        return Caller(token.id, f"{token.name} (API)", token.rights)
    return Caller(token.id, owner.name, token.rights & owner.role.rights, owner.id)


def _count(request: Request, runtime: Runtime, token: ApiToken, now: datetime) -> None:
    """Count a request of a token; most cost no write. Raises `Refusal` for one too many."""
    pace: Pace = request.app.state.pace
    wait, made = pace.take(token, now)
    if wait:
        raise Refusal(
            TOO_MANY,
            f"this token makes too many requests: wait {wait} seconds",
            {"Retry-After": str(wait)},
        )
    if made or is_use_to_be_noted(token, now):
        with writing(runtime.engine) as session:
            note_use(session, token.id, now=now)
            if made:
                spend(session, token.id, made, per_minute=pace.per_minute, now=now)


def _write_down(session: Session, request: Request) -> None:
    caller: Caller = request.state.caller
    runtime: Runtime = request.app.state.runtime
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    record(
        session,
        by=caller.name,
        account_id=caller.account_id,
        what="api.called",
        about=f"{request.method} {path}",
        detail=f"token {caller.token_id}",
        now=runtime.clock(),
    )


async def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


TheCaller = Annotated[Caller, Depends(_caller)]
