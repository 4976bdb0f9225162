"""The pages of signing in and out, and of one's own account."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from digest.admit.steps import Place, sign_in, sign_out
from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput
from digest.intake.addresses import parse_address
from digest.web.access import NotSignedIn, TheSignIn, needs, require_same_origin, require_sign_in
from digest.web.account.devices import device_of
from digest.web.account.ways import safe_way
from digest.web.cookies import session_cookie
from digest.web.dependencies import READ, ThePages, TheRuntime

router = APIRouter()

_own = [needs(Right.LOOK)]

_comparing = CapacityLimiter(2)
"""Passwords compared at once: each takes 64 MiB and a processor, and none of the threads that pages need."""


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
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002
) -> Response:
    """Begin a session. Whether the address or the password was wrong is told to nobody."""
    require_same_origin(request, runtime.settings.public_url)
    cookie, way = session_cookie(runtime), safe_way(next)
    before = cookie.read(request)
    token = await to_thread.run_sync(
        lambda: sign_in(
            runtime.engine,
            email=_address(email),
            password=password,
            place=_place(request),
            now=runtime.clock(),
            before=before,
        ),
        limiter=_comparing,
    )
    if token is None:
        return _try_again(pages, email, way)
    response = RedirectResponse(pages.base + way, HTTPStatus.SEE_OTHER)
    cookie.give(response, token)
    return response


def _try_again(pages: ThePages, email: str, way: str) -> HTMLResponse:
    problem = "This address and this password do not belong together. Try again."
    status = HTTPStatus.UNAUTHORIZED
    return pages.door("account/sign_in.html", status=status, email=email[:320], way=way, problem=problem)


@router.post("/sign-out", dependencies=_own)
def end(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn) -> Response:
    """End this session."""
    sign_out(runtime.engine, signed_in.token, now=runtime.clock())
    response = RedirectResponse(f"{pages.base}/sign-in", HTTPStatus.SEE_OTHER)
    session_cookie(runtime).take_back(response)
    return response


@router.api_route("/account", methods=READ, dependencies=_own)
def account(pages: ThePages, signed_in: TheSignIn) -> HTMLResponse:
    """Show one's own account."""
    return pages.desk("account/account.html", email=signed_in.email)


def _address(typed: str) -> str:
    """Return an address as accounts have it; '', which is nobody's, for what is none."""
    try:
        return parse_address(typed[:320])
    except InvalidInput:
        return ""


def _place(request: Request) -> Place:
    network = request.client.host if request.client else ""
    return Place(device_of(request.headers.get("user-agent", "")), network)
