"""Secrets that are shown once: handed from a form's answer to the page it leads to.

The answer is a redirect, so that whoever reloads the page makes no second secret. It goes by a cookie that
lasts a minute and that the page takes back: in the database nothing of it may lie, in an address neither.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from digest.runtime import Runtime
from digest.web.cookies import handed_cookie
from digest.web.templating import Pages


class Kind(StrEnum):
    """What a secret opens."""

    FOR_THE_API = "api"
    ENDPOINT = "endpoint"
    LINK = "link"
    MAILED_LINK = "mailed"


def hand_over(
    runtime: Runtime, pages: Pages, place: str, kind: Kind, number: int, secret: str
) -> RedirectResponse:
    """Lead to the page at `place`, which shows the secret of `kind` that belongs to `number`."""
    response = RedirectResponse(f"{pages.base}{place}", HTTPStatus.SEE_OTHER)
    handed_cookie(runtime).give(response, f"{kind}:{number}:{secret}")
    return response


def handed(runtime: Runtime, request: Request, kind: Kind) -> tuple[int, str]:
    """Return whose secret was handed to this page, and the secret; 0 and '' for none of its kind."""
    found, _, rest = handed_cookie(runtime).read(request).partition(":")
    number, _, secret = rest.partition(":")
    if found != kind or not number.isascii() or not number.isdecimal() or len(number) > 18:
        return 0, ""
    return int(number), secret


def shown(runtime: Runtime, response: Response) -> None:
    """Let the browser forget the secret that a page has shown."""
    handed_cookie(runtime).take_back(response)
