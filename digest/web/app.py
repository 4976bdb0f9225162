"""The web application put together, and the server that runs it."""

from __future__ import annotations

import gc
import ipaddress
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from urllib.parse import urlsplit

import structlog
import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI, Response
from starlette.routing import BaseRoute

from digest.domain.errors import Unavailable
from digest.pipeline.hooks import Hooks
from digest.runtime import Runtime
from digest.web import (
    account,
    api,
    archive,
    assets,
    clicks,
    draft,
    editor,
    feedback,
    health,
    leaving,
    less,
    manage,
    ops,
    preferences,
    preview,
    readdressing,
    sign_up,
    stored,
    subscriber,
    webhooks,
)
from digest.web.access import require_declared
from digest.web.dependencies import READ, ThePages, provide
from digest.web.envelope import Envelope
from digest.web.error_pages import add_error_pages
from digest.web.headers import IMMUTABLE
from digest.web.templating import Pages

log = structlog.get_logger(__name__)

THREADS = 15
"""As many as the database has connections: whoever comes later waits for a thread, not for a time-out."""

GOODBYE_SECONDS = 10
"""How long a stop waits for answers under way."""


def make_app(runtime: Runtime, *, hooks: Hooks | None = None) -> FastAPI:
    """Return the application; `hooks` takes in webhooks in place of what the settings say.

    Raises `Misconfigured` when its templates are missing or wrong, or a setting of a webhook is.
    """
    base = urlsplit(runtime.settings.public_url).path.rstrip("/")
    pages = Pages(runtime.settings.templates / "web", base=base)
    app = FastAPI(
        title="Digest",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        routes=list(_routes()),
    )
    hooks = hooks or Hooks(runtime)
    provide(app, runtime, pages, hooks)
    app.mount(api.PATH, api.make_api(runtime, pages, hooks))
    require_declared(app)
    add_error_pages(app, pages)
    account.add_answers(app, pages)
    app.add_middleware(Envelope, pages=pages, base=base)
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Put the parts together, once a process: what each route asks for is worked out, which takes its time.

    A route knows no application: it finds with each request what that one serves.
    """
    whole = APIRouter()
    whole.include_router(_static)
    # In the order of how often they are asked for: a request is held against each route before its own.
    for part in (
        clicks,
        sign_up,
        leaving,
        preferences,
        less,
        feedback,
        archive,
        subscriber,
        readdressing,
        stored,
        health,
        webhooks,
        account,
        editor,
        draft,
        preview,
        manage,
        ops,
    ):
        whole.include_router(part.router)
    whole.include_router(preview.shown)
    return tuple(whole.routes)


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield


_static = APIRouter()


@_static.api_route(assets.PATH + "/{name}", methods=READ)
async def static(pages: ThePages, name: str) -> Response:
    """Return a file of the templates' static folder, from memory."""
    asset = pages.assets.get(name)
    return Response(asset.body, media_type=asset.media_type, headers=dict(IMMUTABLE))


def serve(
    runtime: Runtime, *, host: str, port: int, on_listening: Callable[[str], None] = lambda _address: None
) -> None:
    """Serve the pages from this thread until SIGTERM or SIGINT, then return; port 0 takes a free one.

    `on_listening` is told the address once connections are taken, for a person to read.

    It speaks HTTP without TLS: from outside, a reverse proxy has to speak https for it. Raises `Unavailable`
    when the address cannot be listened at, `Misconfigured` for wrong templates or webhooks.
    """
    app = make_app(runtime)
    config = uvicorn.Config(
        app,
        # Addresses hold tokens: they do not belong in a log.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
    server = uvicorn.Server(config)
    # What streams for minutes looks whether it is to end: a stop would wait for it otherwise.
    app.state.is_ending = lambda: server.should_exit
    # The application lives as long as the process: a full collection that looked through it would hold up
    # the page being made for a quarter of a second.
    gc.collect()
    gc.freeze()
    with _listening(host, port) as (listener, address), _ending_by_signal(server):
        # Told last: from here on a signal ends the server, also where whoever started it ignores Ctrl-C.
        on_listening(address)
        server.run(sockets=[listener])


@contextmanager
def _listening(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as exc:
        raise Unavailable(
            f"cannot serve at {host} port {port}: {exc.strerror or exc}; stop what listens there, or choose "
            "another with --host and --port"
        ) from exc
    # Inherited by its connections: without it the last bytes of an answer wait 40 ms for a delayed ACK.
    # asyncio sets it only on sockets that it made.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        ip, taken = listener.getsockname()[:2]
        address = f"http://[{ip}]:{taken}/" if ":" in ip else f"http://{ip}:{taken}/"
        log.info("web.listening", address=address)
        if not ipaddress.ip_address(ip).is_loopback:
            log.warning(
                "web.open_to_others",
                advice="passwords pass unencrypted here: let others in through a proxy that speaks https",
            )
        yield listener, address


@contextmanager
def _ending_by_signal(server: uvicorn.Server) -> Iterator[None]:
    """Let a signal end the server and nothing more.

    When it has stopped, uvicorn raises the signal once more for whoever handled it before. By default
    that would end the process here, and the worker that shares it with us would never be told.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
