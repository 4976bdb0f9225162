"""The API put together: an application of its own, mounted beneath the pages."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cache

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.domain.errors import DigestError
from digest.pipeline.hooks import Hooks
from digest.runtime import Runtime
from digest.web.api import (
    accounts,
    articles,
    document,
    drafts,
    dry_runs,
    endpoints,
    heard,
    issue_actions,
    issue_clicks,
    issue_looks,
    issue_opens,
    issues,
    looks,
    managing,
    newsletters,
    outcomes,
    preview_links,
    reader_lists,
    readers,
    record,
    runs,
    schedules,
    segments,
    sending,
    sign_ups,
    source_lists,
    subscribers,
    suppressions,
    takeaways,
    tokens,
    topic_rules,
)
from digest.web.api.access import Call
from digest.web.api.pace import Pace
from digest.web.api.problems import BROKEN, Refusal, answer, expected, http, refused, unreadable
from digest.web.api.shapes import PATH
from digest.web.dependencies import provide
from digest.web.templating import Pages

log = structlog.get_logger(__name__)

ROUTERS: Sequence[APIRouter] = (
    newsletters.router,
    looks.router,
    topic_rules.router,
    source_lists.router,
    managing.router,
    issues.router,
    drafts.router,
    issue_looks.router,
    issue_clicks.router,
    issue_opens.router,
    heard.router,
    preview_links.router,
    issue_actions.router,
    articles.router,
    takeaways.router,
    segments.router,
    subscribers.router,
    reader_lists.router,
    readers.router,
    sign_ups.router,
    suppressions.router,
    schedules.router,
    runs.router,
    dry_runs.router,
    sending.router,
    outcomes.router,
    endpoints.router,
    tokens.router,
    accounts.router,
    record.router,
)


def make_api(runtime: Runtime, pages: Pages, hooks: Hooks) -> FastAPI:
    """Return the application to mount at `PATH`."""
    api = FastAPI(
        title="Digest",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=list(_routes()),
    )
    provide(api, runtime, pages, hooks)
    api.state.address = f"{runtime.settings.public_url.rstrip('/')}{PATH}"
    api.state.methods_of = _methods_of
    api.state.pace = Pace(runtime.settings.api_requests_per_minute)
    api.exception_handler(DigestError)(expected)
    api.exception_handler(Refusal)(refused)
    api.exception_handler(RequestValidationError)(unreadable)
    api.exception_handler(HTTPException)(http)
    api.add_middleware(_InAnyCase)
    return api


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Put the parts together, once a process: see those of the pages."""
    whole = APIRouter(generate_unique_id_function=lambda route: route.name)
    for router in (*ROUTERS, document.router):
        whole.include_router(router)
    return tuple(whole.routes)


def _methods_of(scope: Scope) -> set[str]:
    """Return the methods that the path of a request may be called with."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return {
        method
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, Call) and route.path_regex.match(path)
        for method in route.methods or ()
    }


class _InAnyCase:
    """ASGI middleware: an error nobody expected is a problem too, with a reference to the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_on(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            if has_begun or scope["type"] != "http":
                raise
            reference = secrets.token_hex(4)
            request = Request(scope)
            route = getattr(scope.get("route"), "path", "unknown")
            log.exception("api.failed", reference=reference, method=scope["method"], route=route)
            told = answer(request, BROKEN, f"this is a fault in Digest, logged as {reference}")
            await told(scope, receive, send)
