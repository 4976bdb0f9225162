"""What endpoints ask for: the runtime and the pages of the application that serves them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from digest.pipeline.hooks import Hooks
from digest.runtime import Runtime
from digest.web.templating import Pages

READ = ["GET", "HEAD"]
"""Mail scanners and link checkers ask with HEAD; FastAPI would answer that with 405."""


def provide(app: FastAPI, runtime: Runtime, pages: Pages, hooks: Hooks) -> None:
    """Let the endpoints of `app` find these."""
    app.state.runtime = runtime
    app.state.hooks = hooks
    app.state.pages = pages


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    # What a route needs is asked before all else, so who is signed in is known by now.
    return pages.seen_by(getattr(request.state, "signed_in", None))


async def _hooks(request: Request) -> Hooks:
    hooks: Hooks = request.app.state.hooks
    return hooks


# Asynchronous, as they only look up: a plain function would cost a hop to the thread pool each.
TheRuntime = Annotated[Runtime, Depends(_runtime)]
TheHooks = Annotated[Hooks, Depends(_hooks)]
ThePages = Annotated[Pages, Depends(_pages)]
