"""Tokens of the API: one's own for everybody, within their rights, and all there are for admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from digest.domain.accounts import Actor, Right
from digest.domain.api_tokens import ApiToken, parse_rights
from digest.domain.errors import InvalidInput
from digest.pipeline.tokens import DAYS, end_token, make_token
from digest.runtime import Runtime
from digest.store.accounts import list_accounts
from digest.store.database import reading
from digest.store.tokens import list_tokens
from digest.web.access import TheActor, needs
from digest.web.account.views import token_views
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import status_of
from digest.web.handed import Kind, hand_over, handed, shown
from digest.web.templating import Pages

router = APIRouter()

OWN, ALL = "/account/tokens", "/tokens"
_LOOK, _ADMINISTER = [needs(Right.LOOK)], [needs(Right.ADMINISTER)]
_TOLD = {"ended": "That token opens nothing any more."}

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

MAY = {
    Right.LOOK: "see newsletters, issues, previews and how sends stand",
    Right.SHAPE: "change issues, takeaways, sources, topics and looks",
    Right.APPROVE: "let an issue go to its readers",
    Right.OPERATE: "schedules, sends, subscribers and suppressions",
    Right.ADMINISTER: "accounts, tokens, endpoints and newsletters",
}
ENDS = {"30": "for 30 days", "90": "for 90 days", "365": "for a year", "0": "until it is ended"}


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as its form has it."""

    name: str = ""
    rights: tuple[str, ...] = (Right.LOOK.value,)
    days: str = str(DAYS)


def _new(
    name: Annotated[str, Form()] = "",
    right: Annotated[list[str], Form()] = [],  # noqa: B006  FastAPI copies it
    days: Annotated[str, Form()] = str(DAYS),
) -> NewToken:
    return NewToken(name, tuple(right), days)


TheNew = Annotated[NewToken, Depends(_new)]


@router.api_route(OWN, methods=READ, dependencies=_LOOK)
def own(
    request: Request, runtime: TheRuntime, pages: ThePages, actor: TheActor, told: str = ""
) -> HTMLResponse:
    """Show one's own tokens."""
    return _shown(request, runtime, pages, actor, OWN, told)


@router.post(OWN, dependencies=_LOOK)
def make_own(runtime: TheRuntime, pages: ThePages, actor: TheActor, new: TheNew) -> Response:
    """Make a token of one's own, and show its secret, once."""
    return _made(runtime, pages, actor, OWN, new)


@router.post(OWN + "/{token_id}/end", dependencies=_LOOK)
def end_own(runtime: TheRuntime, pages: ThePages, actor: TheActor, token_id: Number) -> Response:
    """End a token of one's own."""
    end_token(runtime, token_id, by=actor.name, of=actor.account_id, account_id=actor.account_id)
    return RedirectResponse(f"{pages.base}{OWN}?told=ended", HTTPStatus.SEE_OTHER)


@router.api_route(ALL, methods=READ, dependencies=_ADMINISTER)
def everybodys(
    request: Request, runtime: TheRuntime, pages: ThePages, actor: TheActor, told: str = ""
) -> HTMLResponse:
    """Show every token there is, the installation's own first."""
    return _shown(request, runtime, pages, actor, ALL, told)


@router.post(ALL, dependencies=_ADMINISTER)
def make_common(runtime: TheRuntime, pages: ThePages, actor: TheActor, new: TheNew) -> Response:
    """Make a token that belongs to nobody, for a program that outlives people; show its secret, once."""
    return _made(runtime, pages, actor, ALL, new)


@router.post(ALL + "/{token_id}/end", dependencies=_ADMINISTER)
def end_any(runtime: TheRuntime, pages: ThePages, actor: TheActor, token_id: Number) -> Response:
    """End anybody's token."""
    end_token(runtime, token_id, by=actor.name, account_id=actor.account_id)
    return RedirectResponse(f"{pages.base}{ALL}?told=ended", HTTPStatus.SEE_OTHER)


def _made(runtime: Runtime, pages: Pages, actor: Actor, place: str, new: NewToken) -> Response:
    try:
        days = int(new.days) if new.days in ENDS else -1
        made, secret = make_token(
            runtime,
            name=new.name,
            rights=parse_rights(new.rights) if new.rights else (),
            days=days,
            by=actor.name,
            of=actor.account_id if place == OWN else None,
            may=actor.rights,
            account_id=actor.account_id,
        )
    except InvalidInput as exc:
        return _page(runtime, pages, actor, place, new=new, problem=exc)
    return hand_over(runtime, pages, place, Kind.FOR_THE_API, made.id, secret)


def _shown(
    request: Request, runtime: Runtime, pages: Pages, actor: Actor, place: str, told: str
) -> HTMLResponse:
    number, secret = handed(runtime, request, Kind.FOR_THE_API)
    response = _page(runtime, pages, actor, place, told=_TOLD.get(told, ""), made=number, secret=secret)
    if secret:
        shown(runtime, response)
    return response


def _page(
    runtime: Runtime,
    pages: Pages,
    actor: Actor,
    place: str,
    *,
    new: NewToken | None = None,
    told: str = "",
    problem: InvalidInput | None = None,
    secret: str = "",
    made: int = 0,
) -> HTMLResponse:
    with reading(runtime.engine) as session:
        found = list_tokens(session, of=actor.account_id if place == OWN else None)
        accounts = list_accounts(session)
    said = str(problem) if problem else ""
    return pages.desk(
        "account/tokens.html",
        status=status_of(problem) if problem else HTTPStatus.OK,
        here=place,
        is_own=place == OWN,
        tokens=token_views(_in_order(found), accounts, now=runtime.clock()),
        rights=[(right.value, MAY[right]) for right in Right if actor.may(right)],
        ends=ENDS,
        new=new or NewToken(),
        address=f"{runtime.settings.public_url.rstrip('/')}/api/v1",
        told=told,
        problem=said[:1].upper() + said[1:],
        secret=secret,
        made=next((token.name for token in found if token.id == made), ""),
    )


def _in_order(tokens: Sequence[ApiToken]) -> list[ApiToken]:
    """Return the newest first, those of the installation before all others."""
    return sorted(tokens, key=lambda one: (one.account_id is not None, -one.id))
