"""One's own account: the password, and the sessions that are open."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from digest.admit.accounts import speak
from digest.admit.attempts import forgive, must_wait, tries_at
from digest.admit.steps import SignedIn, change_password, end_others
from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput
from digest.pipeline.managing.given import spoken_language
from digest.runtime import Runtime
from digest.store.accounts import account_by_id
from digest.store.database import reading, writing
from digest.store.second_factors import find_factor
from digest.store.sign_ins import SignInId, list_sign_ins
from digest.web.access import TheSignIn, needs
from digest.web.account.places import place_of
from digest.web.account.turns import in_turn, require_patience
from digest.web.account.views import LANGUAGES, factor_view, session_views
from digest.web.cookies import session_cookie
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.templating import Pages

router = APIRouter(prefix="/account", dependencies=[needs(Right.LOOK)])

Typed = Annotated[str, Form()]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

_TOLD = {
    "language": "Mails to you are in this language from now on.",
    "password": "You have a new password. All other sessions have ended.",
    "ended": "That session has ended.",
    "factor-off": "From now on your password is enough.",
    "others": "All other sessions have ended.",
}


@router.api_route("", methods=READ)
def account(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn, told: str = "") -> HTMLResponse:
    """Show one's own account."""
    return _page(runtime, pages, signed_in, told=_TOLD.get(told, ""))


def _page(
    runtime: Runtime, pages: Pages, who: SignedIn, *, told: str = "", problem: str = ""
) -> HTMLResponse:
    now = runtime.clock()
    with reading(runtime.engine) as session:
        sign_ins = list_sign_ins(session, who.actor.account_id, now=now)
        factor = find_factor(session, who.actor.account_id)
        spoken = account_by_id(session, who.actor.account_id).language
    return pages.desk(
        "account/account.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        email=who.email,
        role=sign_ins[0].account.role.value if sign_ins else "",
        sessions=session_views(sign_ins, this=who.session_id, now=now),
        factor=factor_view(factor),
        languages=LANGUAGES.items(),
        language=spoken,
        told=told,
        problem=problem[:1].upper() + problem[1:],
    )


@router.post("/password")
async def password(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    signed_in: TheSignIn,
    old: Typed = "",
    new: Typed = "",
) -> Response:
    """Take another password; every other session ends, and this one gets a new token."""
    place, now = place_of(request, runtime), runtime.clock()
    tries = tries_at(runtime.door_key, "own password", str(signed_in.actor.account_id))

    def work() -> str:
        require_patience(must_wait(runtime.engine, tries, now=now))
        token = change_password(runtime.engine, signed_in, old=old, new=new, place=place, now=now)
        forgive(runtime.engine, tries)
        return token

    try:
        token = await in_turn(work)
    except InvalidInput as exc:
        problem = str(exc)
        return await run_in_threadpool(lambda: _page(runtime, pages, signed_in, problem=problem))
    response = _back(pages, "password")
    session_cookie(runtime).give(response, token)
    return response


@router.post("/language")
def language(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn, language: Typed = "") -> Response:
    """Have mails, as the link for a new password, in another language."""
    who, now = signed_in.actor, runtime.clock()
    try:
        spoken = spoken_language(language[:35], "the language")
        with writing(runtime.engine) as session:
            found = account_by_id(session, who.account_id)
            speak(session, found, spoken, by=who.name, account_id=who.account_id, now=now)
    except InvalidInput as exc:
        return _page(runtime, pages, signed_in, problem=str(exc))
    return _back(pages, "language")


@router.post("/sessions/{session_id}/end")
def end_one(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn, session_id: Number) -> Response:
    """End one of one's own sessions. One that has ended already, or is another's, ends nothing."""
    end_others(runtime.engine, signed_in, only=SignInId(session_id), now=runtime.clock())
    return _back(pages, "ended")


@router.post("/sessions/end")
def end_all(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn) -> Response:
    """End all of one's own sessions but this one."""
    end_others(runtime.engine, signed_in, now=runtime.clock())
    return _back(pages, "others")


def _back(pages: Pages, told: str) -> Response:
    return RedirectResponse(f"{pages.base}/account?told={told}", HTTPStatus.SEE_OTHER)
