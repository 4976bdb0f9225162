"""Tokens over the API itself: which there are, and new ones that can do no more than who makes them."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import Field, StrictInt

from digest.domain.accounts import Right
from digest.domain.api_tokens import ApiToken
from digest.pipeline import tokens
from digest.pipeline.tokens import DAYS, DAYS_MAX
from digest.store.database import reading
from digest.store.tokens import list_tokens
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.shapes import PATH, Given, Line, Listed, Number, Told, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Tokens"])


class Me(Told):
    """Who calls, as the record names them, and what they may do."""

    name: str
    token_id: int
    rights: list[Right]


class Token(Told):
    """A token, without its secret."""

    id: int
    name: str
    hint: str = Field(description="How its secret begins.", examples=["dg_4fK2"])
    rights: list[Right]
    account_id: int | None = Field(description="Whose it is; null for one of the installation.")
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To a minute; null before its first use.")

    @classmethod
    def of(cls, one: ApiToken) -> Token:
        """Return a token as the API tells it."""
        return cls(
            id=one.id,
            name=one.name,
            hint=one.hint,
            rights=sorted(one.rights),
            account_id=one.account_id,
            made_by=one.made_by,
            made_at=one.made_at,
            expires_at=one.expires_at,
            last_used_at=one.last_used_at,
        )


class NewToken(Given):
    """A token to be made. It belongs to whom the token belongs that makes it."""

    name: Line = Field(min_length=1, examples=["dashboard"])
    rights: list[Right] = Field(min_length=1, max_length=len(Right), examples=[["look"]])
    days: StrictInt = Field(DAYS, ge=0, le=DAYS_MAX, description="How long it works; 0: until it is removed.")


class MadeToken(Told):
    """A new token and its secret, which is told once."""

    token: Token
    secret: str = Field(examples=["dg_…"])


@router.get("/me", **asks(Right.LOOK))
def show_me(caller: TheCaller) -> Me:
    """Return who this token calls as, and what it may do."""
    return Me(name=caller.name, token_id=caller.token_id, rights=sorted(caller.rights))


@router.get("/tokens", **asks(Right.ADMINISTER))
def list_all_tokens(runtime: TheRuntime) -> Listed[Token]:
    """Return every token, the oldest first, also those that have expired."""
    with reading(runtime.engine) as session:
        return whole(list_tokens(session), Token.of)


@router.post("/tokens", status_code=201, **asks(Right.ADMINISTER))
def make_token(runtime: TheRuntime, caller: TheCaller, response: Response, new: NewToken) -> MadeToken:
    """Make a token, with no right that this one lacks."""
    made, secret = tokens.make_token(
        runtime,
        name=new.name,
        rights=new.rights,
        days=new.days,
        by=caller.name,
        of=caller.account_id,
        may=caller.rights,
        account_id=caller.account_id,
    )
    response.headers["Location"] = f"{PATH}/tokens"
    return MadeToken(token=Token.of(made), secret=secret)


@router.delete("/tokens/{token_id}", status_code=204, **asks(Right.ADMINISTER))
def end_token(runtime: TheRuntime, caller: TheCaller, token_id: Number) -> None:
    """End a token, also this one: it opens nothing from now on."""
    tokens.end_token(runtime, token_id, by=caller.name, account_id=caller.account_id)
