"""The pages of one source, fetched one at a time and no longer than its server is worth waiting for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from digest.domain.errors import Unavailable
from digest.gather.fetching.fetch import Fetched, Fetcher

UNANSWERED_AT_MOST = 2
"""After so many pages of a source that kept us waiting, and none that came, the others are left for later."""
HURRIED_SECONDS = 3.0
"""How long a page may take after another page of the source kept us waiting."""


class PageQueue:
    """Fetches the pages of one source, one at a time.

    A source that kept us waiting for a page gets little time for the others, and none when all did.
    `wanted_quiet` is how long its host asked to be left alone, if it did.
    """

    def __init__(self, fetcher: Fetcher) -> None:
        self.wanted_quiet: timedelta | None = None
        self._fetcher = fetcher
        self._answered = self._unanswered = 0
        self._line = asyncio.Lock()

    async def fetch(self, url: str) -> Fetched:
        """Return a page. Raises what fetching raises, and `Unavailable` for one that is not tried."""
        async with self._line:
            if self.wanted_quiet is not None:
                raise Unavailable(
                    f"{url} is not tried: its host asked to be left alone", retry_after=self.wanted_quiet
                )
            if self._unanswered >= UNANSWERED_AT_MOST and not self._answered:
                raise Unavailable(f"{url} is not tried: no other page of its source answered in time")
            try:
                async with asyncio.timeout(HURRIED_SECONDS if self._unanswered else None):
                    fetched = await self._fetcher.fetch(url)
            except TimeoutError as exc:
                self._unanswered += 1
                raise Unavailable(
                    f"{url} did not answer within {HURRIED_SECONDS:g} s, nor did another page of its source"
                ) from exc
            except Unavailable as exc:
                self._unanswered += 1
                self.wanted_quiet = exc.retry_after or self.wanted_quiet
                raise
            self._answered += 1
            return fetched
