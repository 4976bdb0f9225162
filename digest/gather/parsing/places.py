"""How many parser processes read at once: as many as the documents that wait are worth."""

from __future__ import annotations

import asyncio

START_SECONDS = 1.0
"""What the start of a process costs, in time of a processor."""
WORTH_A_START = 20
"""About as many documents are read meanwhile by one that runs."""


class Places:
    """Places for `most` at once, of which one is open to begin with: an asynchronous context manager.

    Another opens when `WORTH_A_START` wait or one has waited for `START_SECONDS`, and stays open: the few
    documents of a poll in the background are read sooner by one process than by as many as there are
    processors, and a document that hangs holds nobody up for long. Places are given in the order of asking.
    """

    def __init__(self, most: int) -> None:
        self._most, self._open = most, 1
        self._free = asyncio.Semaphore(1)
        self._waiting = 0

    async def __aenter__(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        self._waiting += 1
        if self._waiting >= WORTH_A_START:
            self._open_another()
        opening = asyncio.get_running_loop().call_later(START_SECONDS, self._open_another)
        try:
            await self._free.acquire()
        finally:
            opening.cancel()
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._free.release()

    def _open_another(self) -> None:
        if self._open < self._most:
            self._open += 1
            self._free.release()
