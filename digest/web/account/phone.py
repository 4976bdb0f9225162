"""One's phone as a second key: set up by a picture and a code, and given up again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import segno
from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from digest.admit.attempts import forgive, must_wait, tries_at
from digest.admit.second_factor import confirm, give_up, propose, renew_codes
from digest.admit.steps import SignedIn
from digest.admit.totp import address_of
from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.second_factors import find_factor
from digest.web.access import TheSignIn, needs
from digest.web.account.turns import in_turn, require_patience
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.templating import Pages

router = APIRouter(prefix="/account/phone", dependencies=[needs(Right.LOOK)])

Typed = Annotated[str, Form()]


@router.post("")
def begin(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn) -> Response:
    """Make a secret for a phone to take."""
    propose(runtime.engine, signed_in)
    return RedirectResponse(f"{pages.base}/account/phone", HTTPStatus.SEE_OTHER)


@router.api_route("", methods=READ)
def show(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn) -> Response:
    """Show the secret as a picture, until a code proves that a phone has it."""
    return _picture(runtime, pages, signed_in)


@router.post("/confirm")
def prove(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn, code: Typed = "") -> Response:
    """Ask for the phone from now on, and show the recovery codes, once."""
    tries = tries_at(runtime.door_key, "new phone", str(signed_in.actor.account_id))
    try:
        require_patience(must_wait(runtime.engine, tries, now=runtime.clock()))
        codes = confirm(runtime.engine, signed_in, code, now=runtime.clock())
    except InvalidInput as exc:
        return _picture(runtime, pages, signed_in, problem=str(exc))
    forgive(runtime.engine, tries)
    return pages.desk("account/codes.html", codes=codes)


@router.post("/codes")
async def renew(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn, password: Typed = "") -> Response:
    """Show new recovery codes, once; the old ones are good for nothing from then on."""
    codes = await in_turn(lambda: _by_password(runtime, signed_in, password, wants_codes=True))
    return pages.desk("account/codes.html", codes=codes)


@router.post("/end")
async def end(runtime: TheRuntime, pages: ThePages, signed_in: TheSignIn, password: Typed = "") -> Response:
    """Let one's password be enough again."""
    await in_turn(lambda: _by_password(runtime, signed_in, password, wants_codes=False))
    return RedirectResponse(f"{pages.base}/account?told=factor-off", HTTPStatus.SEE_OTHER)


def _by_password(
    runtime: Runtime, signed_in: SignedIn, password: str, *, wants_codes: bool
) -> tuple[str, ...]:
    """Do what an open page alone must not do. Raises `InvalidInput` for a wrong password, or too many."""
    now = runtime.clock()
    tries = tries_at(runtime.door_key, "own password", str(signed_in.actor.account_id))
    require_patience(must_wait(runtime.engine, tries, now=now))
    codes: tuple[str, ...] = ()
    if wants_codes:
        codes = renew_codes(runtime.engine, signed_in, password, now=now)
    else:
        give_up(runtime.engine, signed_in, password, now=now)
    forgive(runtime.engine, tries)
    return codes


def _picture(runtime: Runtime, pages: Pages, signed_in: SignedIn, *, problem: str = "") -> Response:
    with reading(runtime.engine) as session:
        factor = find_factor(session, signed_in.actor.account_id)
    if factor is None or factor.since is not None:
        return RedirectResponse(f"{pages.base}/account", HTTPStatus.SEE_OTHER)
    return pages.desk(
        "account/phone.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        picture=_drawn(address_of(factor.secret, email=signed_in.email, issuer="Digest")),
        secret=" ".join(factor.secret[at : at + 4] for at in range(0, len(factor.secret), 4)),
        problem=problem[:1].upper() + problem[1:],
    )


def _drawn(address: str) -> str:
    """Return an address as a picture that a phone reads (QR code): an SVG element."""
    picture = segno.make(address, error="m", micro=False)
    return picture.svg_inline(scale=6, border=4, light="#fff", omitsize=True)
