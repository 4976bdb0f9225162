"""Who may open what: every route declares the right it needs, or stands in the list of public ones.

A route that does neither keeps the application from starting. What changes something (any method but GET,
HEAD and OPTIONS) must come from a page of ours: by its Origin, and by a token of the session it comes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends as Dependency
from fastapi.routing import iter_route_contexts

from digest.admit.sessions import is_csrf_of
from digest.admit.steps import SignedIn, find_signed_in
from digest.domain.accounts import Actor, Right
from digest.web.cookies import session_cookie
from digest.web.dependencies import TheRuntime

PUBLIC = frozenset(
    {
        "/static/{name}",
        "/healthz",
        "/readyz",
        "/metrics",
        "/hooks/{provider}",
        "/unsubscribe/{token}",
        "/unsubscribe/{token}/all",
        "/unsubscribe/{token}/pause",
        "/unsubscribe/{token}/slower",
        "/unsubscribe/{token}/undo",
        "/unsubscribe/{token}/why",
        "/preferences/{token}",
        "/preferences/{token}/return",
        "/preferences/{token}/pause",
        "/preferences/{token}/measuring",
        "/preferences/{token}/address",
        "/preferences/{token}/stored",
        "/preferences/{token}/stored.json",
        "/preferences/{token}/erase",
        "/new-address/{token}",
        "/leave-address/{token}",
        "/old-address/{token}",
        "/preferences/{token}/less",
        "/preferences/{token}/mute/{topic}",
        "/preferences/{token}/fewer/{issue_id}/{position}",
        "/preferences/{token}/useful/{issue_id}/{position}",
        "/online/{token}",
        "/subscribe/{slug}",
        "/subscribe/openapi.json",
        "/subscribe/{slug}/api",
        "/subscribe/{slug}/asked",
        "/subscribe/{slug}/form",
        "/subscribe/{slug}/theme.css",
        "/confirm/{token}",
        "/never-again/{token}",
        "/c/{token}",
        "/c/{token}/{place:int}",
        "/c/{token}/{place:int}/{reader:path}",
        "/o/{token}",
        "/shown/{token}",
        "/shown/{token}/mail",
        "/archive",
        "/archive/{slug}",
        "/archive/{slug}/topics",
        "/archive/{slug}/{number:int}",
        "/archive/{slug}/theme.css",
        "/archive/{slug}/{kind}.{form}",
        "/archive/{rest:path}",
        "/sign-in",
        "/sign-in/code",
        "/forgot",
        "/enter/{token}",
    }
)
"""Every path that is open without signing in: what carries its authority in itself, or needs none."""

GUARDED = frozenset({"/api/v1"})
"""Applications within ours that have a guard of their own: the API's asks for tokens, and knows no cookie."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"


class NotSignedIn(Exception):
    """Nobody is signed in, or not any more."""


class NotAllowed(Exception):
    """Who is signed in lacks this right."""

    def __init__(self, right: Right) -> None:
        super().__init__(right)
        self.right = right


class NotOurForm(Exception):
    """What asks for a change did not come from a page that this session showed."""


async def require_sign_in(request: Request, runtime: TheRuntime) -> SignedIn:
    """Return who asks, and keep it with the request, for its pages. Raises `NotSignedIn`."""
    token = session_cookie(runtime).read(request)
    found = None
    if token:
        found = await to_thread.run_sync(lambda: find_signed_in(runtime.engine, token, now=runtime.clock()))
    if found is None:
        raise NotSignedIn
    request.state.signed_in = found
    return found


TheSignIn = Annotated[SignedIn, Depends(require_sign_in)]


async def _actor(signed_in: TheSignIn) -> Actor:
    return signed_in.actor


TheActor = Annotated[Actor, Depends(_actor)]


class Needs:
    """A dependency that lets pass who is signed in and has `right`."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request, runtime: TheRuntime, signed_in: TheSignIn) -> None:
        """Raise `NotSignedIn`, `NotAllowed` or `NotOurForm`."""
        if request.method not in SAFE:
            require_same_origin(request, runtime.settings.public_url)
            await _require_token(request, signed_in)
        if not signed_in.actor.may(self.right):
            raise NotAllowed(self.right)


def needs(right: Right) -> Dependency:
    """Return what a router or a route has among its `dependencies`, so that only they may open it."""
    dependency: Dependency = Depends(Needs(right))
    return dependency


def require_same_origin(request: Request, public_url: str) -> None:
    """Raise `NotOurForm` for what a page of another site sends.

    Every browser says where a POST comes from. Ours is the public address, or the one that was asked for: a
    browser sends no cookie of ours to another name, whatever that resolves to.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotOurForm
    origin = request.headers.get("origin")
    if origin is None:
        return
    public = urlsplit(public_url)
    ours = {f"{public.scheme}://{public.netloc}".lower()}
    ours |= {f"{scheme}://{request.headers.get('host', '')}".lower() for scheme in ("http", "https")}
    if origin.lower() not in ours:
        raise NotOurForm


async def _require_token(request: Request, signed_in: SignedIn) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None:
        # Kept with the request: the endpoint reads the same form again.
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else ""
    if not is_csrf_of(signed_in.token, given):
        raise NotOurForm


@dataclass(frozen=True, slots=True)
class Declared:
    """A route as it is served, and the right it asks for: None for one that asks for none."""

    path: str
    methods: frozenset[str]
    right: Right | None


def declared(app: FastAPI) -> tuple[Declared, ...]:
    """Return every route of an application, those of its routers with what the routers ask for."""
    return tuple(
        Declared(str(route.path), frozenset(route.methods or ()), _right(getattr(route, "dependant", None)))
        for route in iter_route_contexts(app.routes)
    )


def _right(dependant: Dependant | None) -> Right | None:
    """Return the right of the dependency that was declared last: a route's own goes before its router's."""
    calls = [one.call for one in _every(dependant)] if dependant else []
    rights = [right for call in calls if isinstance(right := getattr(call, "right", None), Right)]
    return rights[-1] if rights else None


def _every(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from _every(one)


def require_declared(app: FastAPI) -> None:
    """Raise `RuntimeError` for a route that is neither public nor asks for a right: so none is forgotten."""
    forgotten = [one.path for one in declared(app) if one.right is None and one.path not in PUBLIC | GUARDED]
    if forgotten:
        raise RuntimeError(
            f"{', '.join(forgotten)}: say needs(Right.…) in the dependencies of the route or its router, or "
            "name the path in access.PUBLIC"
        )
