"""What endpoints ask for: the runtime and the pages of the application that serves them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from digest.runtime import Runtime
from digest.web.templating import Pages

READ = ["GET", "HEAD"]
"""Mail scanners and link checkers ask with HEAD; FastAPI would answer that with 405."""


def provide(app: FastAPI, runtime: Runtime, pages: Pages) -> None:
    """Let the endpoints of `app` find these."""
    app.state.runtime = runtime
    app.state.pages = pages


async def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


# Asynchronous, as they only look up: a plain function would cost a hop to the thread pool each.
TheRuntime = Annotated[Runtime, Depends(_runtime)]
ThePages = Annotated[Pages, Depends(_pages)]
