"""Tokens of the API made and ended: on the pages, by the command and over the API, each time recorded."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from digest.domain.accounts import AccountId, Right
from digest.domain.api_tokens import ApiToken
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import writing
from digest.store.tokens import add_token, get_token, list_tokens, remove_token

NAME_MAX = 200
DAYS, DAYS_MAX = 90, 3_650
"""How long a token works unless somebody says otherwise, and at most."""

OWN_MAX = 50
"""Tokens of one account: whoever needs more lets a program make and end them."""


class LacksRight(InvalidInput):
    """Somebody wants to give on a right that they lack."""


def make_token(
    runtime: Runtime,
    *,
    name: str,
    rights: Collection[Right],
    days: int,
    by: str,
    of: AccountId | None = None,
    may: Collection[Right] = tuple(Right),
    account_id: AccountId | None = None,
) -> tuple[ApiToken, str]:
    """Make a token with rights that its maker has (`may`); return it and its secret, which is told once.

    It works for `days`, with 0 until it is removed, and belongs to the account `of`, or to the installation.
    `account_id` is the account of who makes it, for the record. Raises `InvalidInput` for what is missing or
    wrong, `LacksRight`, and `Conflict` for too many of one account.
    """
    called = " ".join(name.split())
    if not called or len(called) > NAME_MAX:
        raise InvalidInput(f"say in up to {NAME_MAX} characters what the token is for; none was made")
    if not rights:
        raise InvalidInput("a token without a right opens nothing: choose one or more; none was made")
    if lacks := [right for right in Right if right in rights and right not in may]:
        raise LacksRight(f"who lacks '{lacks[0]}' cannot give it on; no token was made")
    if not 0 <= days <= DAYS_MAX:
        raise InvalidInput(f"a token works for 1 to {DAYS_MAX:,} days, or with 0 until it is removed")
    now = runtime.clock()
    with writing(runtime.engine) as session:
        if of is not None and len(list_tokens(session, of=of)) >= OWN_MAX:
            raise Conflict(f"there are {OWN_MAX} tokens of this account already: end some first")
        made, secret = add_token(
            session,
            name=called,
            rights=frozenset(rights),
            by=by,
            now=now,
            expires_at=now + timedelta(days=days) if days else None,
            account_id=of,
        )
        record(
            session,
            by=by,
            account_id=account_id,
            what="token.made",
            about=f"token {made.id}",
            detail=f"{called}: {', '.join(sorted(made.rights))}",
            now=now,
        )
    return made, secret


def end_token(
    runtime: Runtime,
    token_id: int,
    *,
    by: str,
    of: AccountId | None = None,
    account_id: AccountId | None = None,
) -> ApiToken:
    """Have a token open nothing from now on; return what it was. With `of`, only one of that account.

    Raises `NotFound`.
    """
    with writing(runtime.engine) as session:
        if of is not None and get_token(session, token_id).account_id != of:
            raise NotFound(f"no token {token_id} of yours")
        ended = remove_token(session, token_id)
        record(
            session,
            by=by,
            account_id=account_id,
            what="token.ended",
            about=f"token {ended.id}",
            detail=ended.name,
            now=runtime.clock(),
        )
    return ended
