"""A send as server-sent events: what the page shows, again whenever it has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi import Request

from digest.compose.phrases import ENGLISH
from digest.domain.issues import Issue, IssueState
from digest.web.ops.send_views import live_view
from digest.web.ops.tallies import Tallies
from digest.web.templating import Pages

EVERY_SECONDS = 1.0
AT_MOST_SECONDS = 300.0
"""A browser asks anew after this, and who may not look any more is not let in again."""

QUIET_SECONDS = 15.0
"""Between signs of life where nothing changes: proxies end connections that say nothing for a minute."""

AT_ONCE = 50
"""Who comes later sees the page as it was when they came: a stream each is a connection each."""

_OVER = (IssueState.SENT, IssueState.CANCELLED)
_streams = 0


async def stream(request: Request, pages: Pages, tallies: Tallies, issue: Issue) -> AsyncIterator[str]:
    """Yield a `tally` event for each change, and `changed` when the buttons of the page are to be others."""
    global _streams
    if _streams >= AT_ONCE:
        yield _event("full", "")
        return
    _streams += 1
    try:
        async for event in _events(request, pages, tallies, issue):
            yield event
    finally:
        _streams -= 1


async def _events(request: Request, pages: Pages, tallies: Tallies, issue: Issue) -> AsyncIterator[str]:
    began = spoke = time.monotonic()
    shown = ""
    yield "retry: 3000\n\n"
    while time.monotonic() - began < AT_MOST_SECONDS and not _is_ending(request):
        told = tallies.of(issue.id)
        if told is not None:
            part = pages.text("ops/send_live.html", ENGLISH, live=live_view(told))
            if part != shown:
                shown, spoke = part, time.monotonic()
                yield _event("tally", part)
            if told.issue.state is not issue.state:
                yield _event("changed", told.issue.state.value)
                return
            if told.issue.state in _OVER:
                yield _event("over", "")
                return
        if time.monotonic() - spoke > QUIET_SECONDS:
            spoke = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(EVERY_SECONDS)


def _is_ending(request: Request) -> bool:
    """Whether the server is told to stop: it would wait for us otherwise."""
    is_ending = getattr(request.app.state, "is_ending", None)
    return bool(is_ending and is_ending())


def _event(name: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines() if line.strip()) or "data:\n"
    return f"event: {name}\n{lines}\n"
