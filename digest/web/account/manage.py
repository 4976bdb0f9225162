"""Everybody's accounts, for admins: made, changed, removed, and let in by a link."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, TypedDict

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from digest.admit.accounts import end_sessions as end_all
from digest.admit.accounts import give_role, let_in, send_away
from digest.admit.entering import make_link
from digest.admit.second_factor import forget_phone
from digest.domain.accounts import AccountId, Actor, Right, Role
from digest.domain.errors import InvalidInput
from digest.intake.addresses import parse_new_address
from digest.intake.names import parse_person
from digest.pipeline.account_letters import link_post
from digest.pipeline.managing.given import spoken_language
from digest.runtime import Runtime
from digest.store.account_letters import account_letters
from digest.store.accounts import account_by_id, list_accounts
from digest.store.audit import list_entries
from digest.store.database import reading, writing
from digest.store.second_factors import accounts_with_factor
from digest.web.access import TheActor, needs
from digest.web.account.views import LANGUAGES, account_views, entry_views, role_views
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.handed import Kind, hand_over, handed, shown
from digest.web.templating import Pages

router = APIRouter(dependencies=[needs(Right.ADMINISTER)])

Typed = Annotated[str, Form()]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

_TOLD = {
    "role": "The role was changed. It holds from their next page on.",
    "sessions": "All their sessions have ended.",
    "phone": "Their password is enough from now on.",
    "removed": "The account was removed, and its sessions have ended.",
}
PATH = "/accounts"
ENTRIES = 50


@router.api_route("/accounts", methods=READ)
def accounts(
    request: Request, runtime: TheRuntime, pages: ThePages, actor: TheActor, told: str = ""
) -> HTMLResponse:
    """Show who may sign in, and as what; once the link that was just made for somebody."""
    for kind in (Kind.LINK, Kind.MAILED_LINK):
        number, token = handed(runtime, request, kind)
        if token:
            return _handed(runtime, pages, actor, number, token, is_mailed=kind is Kind.MAILED_LINK)
    return _page(runtime, pages, actor, told=_TOLD.get(told, ""))


def _handed(
    runtime: Runtime, pages: Pages, actor: Actor, number: int, token: str, *, is_mailed: bool
) -> HTMLResponse:
    with reading(runtime.engine) as session:
        account = account_by_id(session, number)
    link, mailed_to = runtime.link("enter", token), account.email if is_mailed else ""
    response = _page(runtime, pages, actor, link=link, whose=account.name, mailed_to=mailed_to)
    shown(runtime, response)
    return response


def _page(
    runtime: Runtime, pages: Pages, actor: Actor, *, told: str = "", problem: str = "", **more: str
) -> HTMLResponse:
    """Show all accounts. `more` may have a `link` to pass on and `whose` it is, and what was typed."""
    with reading(runtime.engine) as session:
        found, with_phone = list_accounts(session), accounts_with_factor(session)
        letters = account_letters(session)
    values = {"link": "", "whose": "", "mailed_to": "", "email": "", "called": "", "language": "en", **more}
    return pages.desk(
        "account/accounts.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        accounts=account_views(found, own=actor.account_id, with_phone=with_phone, letters=letters),
        roles=role_views(Role.EDITOR),
        languages=LANGUAGES.items(),
        can_mail=link_post(runtime) is not None,
        told=told,
        problem=problem[:1].upper() + problem[1:],
        **values,
    )


@router.post("/accounts")
def add(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    role: Annotated[Role, Form()],
    email: Typed = "",
    name: Typed = "",
    language: Typed = "en",
    mail: Typed = "",
) -> Response:
    """Make an account, and mail its owner the link by which they come in, or show it."""
    now, post = runtime.clock(), link_post(runtime) if mail else None
    try:
        address = parse_new_address(email[:320])
        called = parse_person(name or address, "the name")
        spoken = spoken_language(language[:35], "the language")
        with writing(runtime.engine) as session:
            made, token = let_in(
                session, address, name=called, role=role, language=spoken, post=post, now=now, **_who(actor)
            )
    except InvalidInput as exc:
        typed = {"email": email[:320], "called": name[:200], "language": language[:35]}
        return _page(runtime, pages, actor, problem=str(exc), **typed)
    return hand_over(runtime, pages, PATH, Kind.MAILED_LINK if post else Kind.LINK, made.id, token)


@router.post("/accounts/{account_id}/link")
def link(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, account_id: Number, mail: Typed = ""
) -> Response:
    """Mail or show a link by which an account's owner chooses a new password."""
    post = link_post(runtime) if mail else None
    with writing(runtime.engine) as session:
        account = account_by_id(session, account_id)
        token = make_link(session, account, post=post, now=runtime.clock(), **_who(actor))
    return hand_over(runtime, pages, PATH, Kind.MAILED_LINK if post else Kind.LINK, account.id, token)


@router.post("/accounts/{account_id}/role")
def role(
    runtime: TheRuntime,
    pages: ThePages,
    actor: TheActor,
    account_id: Number,
    role: Annotated[Role, Form()],
) -> Response:
    """Let an account be something else, also one's own; the last admin stays one."""
    now = runtime.clock()
    try:
        with writing(runtime.engine) as session:
            account = account_by_id(session, account_id)
            give_role(session, account, role, now=now, **_who(actor))
    except InvalidInput as exc:
        return _page(runtime, pages, actor, problem=str(exc))
    return RedirectResponse(f"{pages.base}/accounts?told=role", HTTPStatus.SEE_OTHER)


@router.post("/accounts/{account_id}/remove")
def remove(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, account_id: Number, sure: Typed = ""
) -> Response:
    """Remove an account, once the box that says so is ticked."""
    now = runtime.clock()
    try:
        with writing(runtime.engine) as session:
            account = account_by_id(session, account_id)
            if not sure:
                raise InvalidInput(f"tick the box to remove the account of {account.name}; it is still there")
            send_away(session, account, now=now, **_who(actor))
    except InvalidInput as exc:
        return _page(runtime, pages, actor, problem=str(exc))
    return RedirectResponse(f"{pages.base}/accounts?told=removed", HTTPStatus.SEE_OTHER)


@router.post("/accounts/{account_id}/end-sessions")
def end_sessions(runtime: TheRuntime, pages: ThePages, actor: TheActor, account_id: Number) -> Response:
    """End all sessions of an account, as on a device that was lost; one's own with them."""
    with writing(runtime.engine) as session:
        end_all(session, account_by_id(session, account_id), now=runtime.clock(), **_who(actor))
    return RedirectResponse(f"{pages.base}/accounts?told=sessions", HTTPStatus.SEE_OTHER)


@router.post("/accounts/{account_id}/forget-phone")
def forget(runtime: TheRuntime, pages: ThePages, actor: TheActor, account_id: Number) -> Response:
    """Let an account's password be enough again, as its phone is gone."""
    with writing(runtime.engine) as session:
        account = account_by_id(session, account_id)
        forget_phone(session, account, now=runtime.clock(), **_who(actor))
    return RedirectResponse(f"{pages.base}/accounts?told=phone", HTTPStatus.SEE_OTHER)


@router.api_route("/audit", methods=READ)
def audit(
    runtime: TheRuntime,
    pages: ThePages,
    by: str = "",
    what: str = "",
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> HTMLResponse:
    """Show who did what, newest first; `by` one person, of one kind, older than entry `before`."""
    person, kind = by.strip()[:200], what.strip()[:64]
    with reading(runtime.engine) as session:
        found = list_entries(session, limit=ENTRIES + 1, before=before, by=person, what=kind)
    shown = found[:ENTRIES]
    return pages.desk(
        "account/audit.html",
        entries=entry_views(shown),
        by=person,
        what=kind,
        older=shown[-1].id if len(found) > ENTRIES else None,
        is_first=before is None,
    )


class _Who(TypedDict):
    by: str
    account_id: AccountId


def _who(actor: Actor) -> _Who:
    return {"by": actor.name, "account_id": actor.account_id}
