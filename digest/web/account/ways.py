"""Where somebody wanted to go before they had to sign in: never to another site."""

from __future__ import annotations

import re

from fastapi import Request

_HERE = re.compile(r"/(?!/)[!-\[\]-~]*")
"""A path of ours: one slash, then printable ASCII. No backslash, which browsers read as a slash, and no blank
or control sign, which they leave out."""

_MOST = 1_000
_DOORS = ("/sign-in", "/sign-out")


def way_of(request: Request, base: str) -> str:
    """Return the path and query that were asked for, without `base`, or the front page."""
    path = request.url.path.removeprefix(base) or "/"
    return safe_way(f"{path}?{request.url.query}" if request.url.query else path)


def safe_way(wanted: str) -> str:
    """Return `wanted` when it is a path of this site, else the front page."""
    if len(wanted) > _MOST or not _HERE.fullmatch(wanted) or wanted.startswith(_DOORS):
        return "/"
    return wanted
