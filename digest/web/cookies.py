"""Cookies of ours: out of reach of scripts, of other sites and, over https, of other hosts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request, Response

from digest.admit.sessions import LONGEST
from digest.runtime import Runtime

_KNOWN_FOR = timedelta(days=365)

_HANDED_FOR = timedelta(minutes=1)
"""The way from a form's answer to the page it leads to."""

_MOST = 200
"""Characters. No token of ours is that long."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie by its name in the browser. No other host can set a `__Host-` one (RFC 6265bis §4.1.3.2)."""

    name: str
    is_secure: bool
    lasts: timedelta

    def read(self, request: Request) -> str:
        """Return what a browser sent, '' for nothing that could be ours."""
        value = request.cookies.get(self.name, "")
        return value if len(value) <= _MOST and value.isascii() else ""

    def give(self, response: Response, value: str) -> None:
        """Let the browser keep `value`."""
        response.set_cookie(
            self.name,
            value,
            max_age=int(self.lasts.total_seconds()),
            path="/",
            secure=self.is_secure,
            httponly=True,
            # Not strict: who follows a link in a mail of ours would seem to be signed out.
            samesite="lax",
        )

    def take_back(self, response: Response) -> None:
        """Let the browser forget it."""
        response.delete_cookie(self.name, path="/", secure=self.is_secure, httponly=True, samesite="lax")


def session_cookie(runtime: Runtime) -> Cookie:
    """Return the cookie that holds a session's token."""
    return _cookie(runtime, "digest", LONGEST)


def device_cookie(runtime: Runtime) -> Cookie:
    """Return the cookie that a browser is known by, once somebody has signed in with it. It opens nothing."""
    return _cookie(runtime, "digest-device", _KNOWN_FOR)


def handed_cookie(runtime: Runtime) -> Cookie:
    """Return the cookie by which a form's answer hands a secret on: see `digest.web.handed`."""
    return _cookie(runtime, "digest-handed", _HANDED_FOR)


def _cookie(runtime: Runtime, name: str, lasts: timedelta) -> Cookie:
    is_secure = runtime.settings.public_url.lower().startswith("https:")
    return Cookie(f"__Host-{name}" if is_secure else name, is_secure, lasts)
