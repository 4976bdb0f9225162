"""Where each call is written down before it is made, and what it came to after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from digest.domain.articles import Usage
from digest.domain.newsletters import NewsletterId
from digest.store.articles import ArticleId
from digest.store.database import writing
from digest.store.spending import LlmCallId, begin_call, settle_call


class Account:
    """One newsletter's. What nobody settles, because it broke off or a process died, stands at its most."""

    def __init__(self, engine: Engine, newsletter_id: NewsletterId, *, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._newsletter_id = newsletter_id
        self._now = now

    async def begin(self, article_id: ArticleId | None, *, most: int) -> LlmCallId:
        """Write down a call that may cost `most` (millionths of a US dollar)."""
        return await asyncio.to_thread(self._begin, article_id, most)

    async def settle(self, call: LlmCallId, usage: Usage) -> None:
        """Write down what a call came to."""
        await asyncio.to_thread(self._settle, call, usage)

    def _begin(self, article_id: ArticleId | None, most: int) -> LlmCallId:
        with writing(self._engine) as session:
            return begin_call(session, self._newsletter_id, article_id, most=most, now=self._now())

    def _settle(self, call: LlmCallId, usage: Usage) -> None:
        with writing(self._engine) as session:
            settle_call(session, call, usage)
