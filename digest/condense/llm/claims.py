"""Which questions this run is asking, so that another process waits for the answers and does not pay, too.

A claim saves money and guards nothing: where two think they have it, as after a long sleep of the machine or
with clocks apart, both ask, and the first answer is kept.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from digest.domain.errors import Unavailable
from digest.store.answers import claim_question, release_claim, renew_claims
from digest.store.database import writing

LEASE = timedelta(seconds=6)
"""So long others wait for a process that was killed."""
RENEW_SECONDS = 2.0
LOOK_SECONDS = 0.5
"""Between two looks at what somebody else is asking."""

log = structlog.get_logger(__name__)


class Claims:
    """What one run is asking. A claim lasts for `LEASE` after it was heard of last."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now
        self._owner = secrets.token_hex(16)
        self._held: set[str] = set()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew what is held while the block lasts."""
        renewing = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing

    async def take(self, key: str) -> bool:
        """Claim a question; False while somebody else is asking it."""
        is_ours = await asyncio.to_thread(self._take, key)
        if is_ours:
            self._held.add(key)
        return is_ours

    async def give_back(self, key: str) -> None:
        """Let others ask."""
        self._held.discard(key)
        await asyncio.to_thread(self._give_back, key)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            if not self._held:
                continue
            try:
                await asyncio.to_thread(self._renew)
            except Unavailable as exc:
                # Whoever asks finds out for themselves that the database is away.
                log.warning("llm.claims_not_renewed", reason=str(exc))

    def _take(self, key: str) -> bool:
        now = self._now()
        with writing(self._engine) as session:
            return claim_question(session, key, self._owner, now=now, until=now + LEASE)

    def _renew(self) -> None:
        with writing(self._engine) as session:
            renew_claims(session, self._owner, until=self._now() + LEASE)

    def _give_back(self, key: str) -> None:
        with writing(self._engine) as session:
            release_claim(session, key, self._owner)
