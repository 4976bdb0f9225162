"""The pages of coming in and going out: by password, or by a link that is good for once."""

from __future__ import annotations

import math
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import structlog
from anyio import to_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from digest.admit.attempts import forgive, must_wait, new_device, tries_of
from digest.admit.entering import enter, enter_first, get_link
from digest.admit.second_factor import Half, finish, half_of, read_half
from digest.admit.steps import sign_in, sign_out
from digest.domain.accounts import Account, Right
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.intake.addresses import parse_address, parse_new_address
from digest.intake.names import parse_person
from digest.runtime import Runtime
from digest.web.access import NotSignedIn, TheSignIn, needs, require_same_origin, require_sign_in
from digest.web.account.places import place_of
from digest.web.account.turns import in_minutes, in_turn
from digest.web.account.ways import safe_way
from digest.web.clients import network_of
from digest.web.cookies import device_cookie, session_cookie
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.templating import Pages

log = structlog.get_logger(__name__)

router = APIRouter()

Typed = Annotated[str, Form()]


@router.api_route("/sign-in", methods=READ)
async def show_sign_in(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    next: str = "/",  # noqa: A002 - what the address says
) -> Response:
    """Ask for address and password. Who is signed in already is led on."""
    way = safe_way(next)
    try:
        await require_sign_in(request, runtime)
    except NotSignedIn:
        return pages.door("account/sign_in.html", email="", way=way, problem="")
    return RedirectResponse(pages.base + way, HTTPStatus.SEE_OTHER)


@router.post("/sign-in")
async def begin(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    email: Typed = "",
    password: Typed = "",
    next: Typed = "/",  # noqa: A002
) -> Response:
    """Begin a session. Whether the address or the password was wrong is told to nobody."""
    require_same_origin(request, runtime.settings.public_url)
    way, address = safe_way(next), _address(email)
    before, device = session_cookie(runtime).read(request), device_cookie(runtime).read(request)
    place, now = place_of(request, runtime), runtime.clock()
    tries = tries_of(
        runtime.door_key, email=address or email, device=device, network=network_of(place.network)
    )

    def work() -> str | Half | timedelta | None:
        if wait := must_wait(runtime.engine, tries, now=now):
            log.warning("web.tried_too_often", network=place.network)
            return wait
        found = sign_in(runtime.engine, email=address, password=password, place=place, now=now, before=before)
        if isinstance(found, Account):
            return half_of(runtime.engine, runtime.door_key, found, now=now)
        if found:
            forgive(runtime.engine, tries)
        return found

    outcome = await in_turn(work)
    if isinstance(outcome, Half):
        return pages.door("account/code.html", half=outcome.token, way=way, problem="")
    if isinstance(outcome, str):
        return _let_in(runtime, pages, outcome, way, email=address)
    return _try_again(pages, email, way, outcome)


@router.post("/sign-in/code")
def prove(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    half: Typed = "",
    code: Typed = "",
    next: Typed = "/",  # noqa: A002
) -> Response:
    """Begin the session of somebody whose password was right, once their phone's code is, too."""
    require_same_origin(request, runtime.settings.public_url)
    way, place, now = safe_way(next), place_of(request, runtime), runtime.clock()
    found = read_half(runtime.engine, runtime.door_key, half, now=now)
    if found is None:
        problem = "That took too long. Sign in once more."
        return pages.door(
            "account/sign_in.html", status=HTTPStatus.UNAUTHORIZED, email="", way=way, problem=problem
        )
    email, device = found.account.email, device_cookie(runtime).read(request)
    tries = tries_of(runtime.door_key, email=email, device=device, network=network_of(place.network))
    if wait := must_wait(runtime.engine, tries, now=now):
        log.warning("web.tried_too_often", network=place.network)
        return _try_again(pages, email, way, wait)
    before = session_cookie(runtime).read(request)
    token = finish(runtime.engine, found, code, place=place, now=now, before=before)
    if token is None:
        problem = "That is not the code your app shows now, or it was used already. Wait for the next one."
        return pages.door(
            "account/code.html", status=HTTPStatus.UNAUTHORIZED, half=half[:200], way=way, problem=problem
        )
    forgive(runtime.engine, tries)
    return _let_in(runtime, pages, token, way, email=email)


def _try_again(pages: Pages, email: str, way: str, wait: timedelta | None) -> HTMLResponse:
    status, headers = HTTPStatus.UNAUTHORIZED, {}
    problem = "This address and this password do not belong together. Try again."
    if wait:
        status, headers = HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(math.ceil(wait.total_seconds()))}
        problem = (
            f"That was tried too often. Try again in {in_minutes(wait)}, or now where you signed in before."
        )
    page = pages.door("account/sign_in.html", status=status, email=email[:320], way=way, problem=problem)
    page.headers.update(headers)
    return page


@router.post("/sign-out", dependencies=[needs(Right.LOOK)])
def end(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn) -> Response:
    """End this session."""
    sign_out(runtime.engine, signed_in.token, now=runtime.clock())
    response = RedirectResponse(f"{pages.base}/sign-in", HTTPStatus.SEE_OTHER)
    session_cookie(runtime).take_back(response)
    return response


@router.api_route("/enter/{token}", methods=READ)
async def show_entry(runtime: TheRuntime, pages: ThePages, token: str) -> HTMLResponse:
    """Ask who came by a link for a password, and who is to be the first admin for a name and an address."""
    return await _entry(runtime, pages, token)


@router.post("/enter/{token}")
async def come_in(
    request: Request,
    runtime: TheRuntime,
    pages: ThePages,
    token: str,
    password: Typed = "",
    email: Typed = "",
    name: Typed = "",
) -> Response:
    """Let somebody in by a link, which is used up by that."""
    require_same_origin(request, runtime.settings.public_url)
    place, now = place_of(request, runtime), runtime.clock()

    def work() -> tuple[str, str | None]:
        account = get_link(runtime.engine, token, now=now).account
        if account is not None:
            return account.email, enter(runtime.engine, token, password=password, place=place, now=now)
        address, called = parse_new_address(email[:320]), parse_person(name, "the name")
        return address, enter_first(
            runtime.engine, token, email=address, name=called, password=password, place=place, now=now
        )

    try:
        whose, session = await in_turn(work)
    except (NotFound, Conflict):
        return await _entry(runtime, pages, token)
    except InvalidInput as exc:
        return await _entry(runtime, pages, token, problem=str(exc), email=email[:320], name=name[:200])
    if session is None:
        return RedirectResponse(f"{pages.base}/sign-in", HTTPStatus.SEE_OTHER)
    return _let_in(runtime, pages, session, "/", email=whose)


async def _entry(
    runtime: Runtime, pages: Pages, token: str, *, problem: str = "", email: str = "", name: str = ""
) -> HTMLResponse:
    try:
        link = await to_thread.run_sync(lambda: get_link(runtime.engine, token, now=runtime.clock()))
    except NotFound:
        return pages.door("account/used_link.html", status=HTTPStatus.NOT_FOUND)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    told = problem[:1].upper() + problem[1:]
    return pages.door(
        "account/enter.html",
        status=status,
        account=link.account,
        token=token,
        problem=told,
        email=email,
        called=name,
    )


def _let_in(runtime: Runtime, pages: Pages, token: str, way: str, *, email: str) -> Response:
    """Give a browser its session, and what it is known by when somebody guesses at this account."""
    response = RedirectResponse(pages.base + way, HTTPStatus.SEE_OTHER)
    session_cookie(runtime).give(response, token)
    device_cookie(runtime).give(response, new_device(runtime.door_key, email))
    return response


def _address(typed: str) -> str:
    """Return an address as accounts have it; '', which is nobody's, for what is none."""
    try:
        return parse_address(typed[:320])
    except InvalidInput:
        return ""
