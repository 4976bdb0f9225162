"""What stands around every request: a bound on its body, headers on its answer, an answer in any case."""

from __future__ import annotations

import re
import secrets
from contextlib import AbstractContextManager
from http import HTTPStatus

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.domain.reader_lists import CONTENT_MAX
from digest.telemetry.faults import tell_fault
from digest.telemetry.spans import Span, span, unheard
from digest.web import assets
from digest.web.error_pages import broken
from digest.web.headers import EVERYWHERE
from digest.web.templating import Pages

log = structlog.get_logger(__name__)

BODY_MAX_BYTES = 64 * 1024
"""The longest form here is sixty ticked topics, some 5 KB. Forms are read before a token is checked, and
left alone the parser would keep 1,000 fields of 1 MB for anybody."""

HOOKS = "/hooks/"
HOOK_MAX_BYTES = 2 * 1024 * 1024
"""A thousand events of SendGrid's are 768 KB, a message of Amazon SNS 256 KB before JSON escapes it."""


_UNTOLD = ("/healthz", "/readyz", "/metrics", assets.PATH)
"""Asked for all day long by machines, or nothing but a file: nobody wants to know how long those take."""

LIST = re.compile(
    r"/manage/newsletters/[^/]+/sources/import|/api/v1/newsletters/[^/]+/sources/opml|/api/v1/suppressions/import"
)
LIST_MAX_BYTES = 1024 * 1024
"""Five thousand sources of an OPML list."""

READERS = re.compile(r"/manage/newsletters/[^/]+/readers/import|/api/v1/newsletters/[^/]+/reader-lists")
"""Lists of readers. Both ask who it is, and what they may, before they read a body."""

LOG = "/api/v1/deliveries/reconcile"
LOG_MAX_BYTES = 9 * 1024 * 1024
"""A log of some 40,000 mails. The API reads no body before it knows the token."""


class Envelope:
    """ASGI middleware, the outermost of ours. `base` is the path of the public address, '' at the root."""

    def __init__(self, app: ASGIApp, *, pages: Pages, base: str) -> None:
        self._app = app
        self._pages = pages
        self._base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False
        if self._base and scope["path"].startswith(f"{self._base}/"):
            # Some proxies strip the path they forward, some pass it on: both ways lead to our routes.
            scope["root_path"] = self._base

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                work.note(status=message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in EVERYWHERE.items():
                    headers.setdefault(name, value)
            await send(message)

        reference = secrets.token_hex(4)
        with self._work(scope, reference) as work:
            try:
                # Every line that is logged for this request names it, those of its threads too.
                with structlog.contextvars.bound_contextvars(request=reference):
                    await self._app(scope, _bounded(receive, self._most(scope)), send_with_headers)
            except Exception as exc:
                log.exception("web.failed", reference=reference, method=scope["method"], page=_page(scope))
                work.note(error=type(exc).__name__)
                tell_fault(exc, request=reference, method=scope["method"], route=_page(scope))
                if has_begun:
                    raise
                await broken(self._pages, reference, scope)(scope, receive, send_with_headers)
            finally:
                work.rename(f"{scope['method']} {_page(scope)}")
                work.note(route=_page(scope))

    def _work(self, scope: Scope, reference: str) -> AbstractContextManager[Span]:
        """Return the request as a piece of work, by its route alone: its address may hold a token."""
        if scope["path"].removeprefix(self._base).startswith(_UNTOLD):
            return unheard()
        return span(scope["method"], serves=True, method=scope["method"], request=reference)

    def _most(self, scope: Scope) -> int:
        path = scope["path"].removeprefix(self._base)
        if path.startswith(HOOKS):
            return HOOK_MAX_BYTES
        if path == LOG:
            return LOG_MAX_BYTES
        if READERS.fullmatch(path):
            return CONTENT_MAX + BODY_MAX_BYTES
        return LIST_MAX_BYTES if LIST.fullmatch(path) else BODY_MAX_BYTES


def _bounded(receive: Receive, most: int) -> Receive:
    read = 0

    async def receive_some() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return receive_some


def _page(scope: Scope) -> str:
    """Return which page was asked for: its route, as the path itself may hold a token."""
    return str(getattr(scope.get("route"), "path", "unknown"))
