"""The way of sign-ups into the database: those that come at one moment go in by one transaction.

An answer waits for its commit, so none is given for a sign-up that is lost. While one page is written, the
next gathers: a commit each would bound all of them by the disk.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Request

from digest.domain.sign_ups import SignUp
from digest.pipeline.sign_ups import keep_sign_ups
from digest.runtime import Runtime
from digest.web.dependencies import TheRuntime

PAGE = 500
"""Sign-ups in a transaction at most: some 10 ms of a database's work."""


class Inbox:
    """The one writer of a web process's sign-ups."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: list[tuple[SignUp, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, sign_up: SignUp) -> None:
        """Return when a sign-up is kept. Raises `Unavailable` when it could not be."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((sign_up, kept))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await kept

    async def _write(self) -> None:
        while self._waiting:
            page, self._waiting = self._waiting[:PAGE], self._waiting[PAGE:]
            sign_ups = [sign_up for sign_up, _ in page]
            problem: BaseException | None = None
            try:
                await to_thread.run_sync(keep_sign_ups, self._runtime, sign_ups)
            except Exception as exc:  # noqa: BLE001 - each of those who wait raises it as its own
                problem = exc
            for _, kept in page:
                if kept.done():
                    continue
                if problem is None:
                    kept.set_result(None)
                else:
                    kept.set_exception(problem)


async def _inbox(request: Request, runtime: TheRuntime) -> Inbox:
    state = request.app.state
    if not hasattr(state, "sign_ups"):
        state.sign_ups = Inbox(runtime)
    inbox: Inbox = state.sign_ups
    return inbox


TheInbox = Annotated[Inbox, Depends(_inbox)]
