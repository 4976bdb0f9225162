"""Group commit: many conversations arm and settle, one transaction writes all that is waiting.

A commit a message would cap a worker at the disk's syncs per second (1,750/s measured). While one commit
runs, what the other conversations ask for gathers, and the next commit takes all of it. A commit costs the
same however much it takes, so one that would take little waits a moment for more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Engine

from digest.domain.deliveries import Claim, Outcome
from digest.domain.errors import Unavailable
from digest.store.bounces import record_refusals
from digest.store.claims import arm_deliveries, return_claims, settle_deliveries
from digest.store.database import writing

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

OnArmed = Callable[[Sequence[Claim], datetime], None]
"""Is told what was armed, after the commit and before a dot leaves, and when. Raises `Unavailable`: then none
does yet."""

GATHER = 0.003
"""Seconds at most that a page waits until half of the conversations have asked for their arm."""

KEEP_TRYING = 60.0
"""Seconds to try a commit again while the database is away, before the sending stops."""


@dataclass(slots=True)
class _Page:
    """What waits for the next commit, in the order it was asked for."""

    arms: list[tuple[Claim, asyncio.Future[bool]]] = field(default_factory=list)
    settled: list[tuple[Claim, Outcome]] = field(default_factory=list)
    returned: list[Claim] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.arms or self.settled or self.returned)


class Ledger:
    """The one writer of a worker's deliveries, and an async context manager: leaving it writes the rest.

    A result is on the same page as, or on an earlier one than, the next arm of its conversation. So when
    the worker dies, at most one delivery a conversation is armed and unsettled.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        owner: str,
        clock: Clock,
        conversations: int = 1,
        on_armed: OnArmed = lambda *_: None,
    ) -> None:
        self._on_armed = on_armed
        self._engine = engine
        self._owner = owner
        self._clock = clock
        self._enough = (conversations + 1) // 2
        self._page = _Page()
        self._asked = asyncio.Event()
        self._has_enough = asyncio.Event()
        self._closing = False
        self._writer: asyncio.Task[None] | None = None
        self.lost_claims = 0

    async def __aenter__(self) -> Ledger:
        self._writer = asyncio.create_task(self._write_pages())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._asked.set()
        self._has_enough.set()
        if self._writer:
            await self._writer

    async def arm(self, claim: Claim) -> bool:
        """Commit to sending `claim`; False when it must not be sent.

        Raises `Unavailable` when nothing could be committed: then it must not be sent either.
        """
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._page.arms.append((claim, answer))
        if len(self._page.arms) >= self._enough:
            self._has_enough.set()
        self._ask()
        return await answer

    def settle(self, claim: Claim, outcome: Outcome) -> None:
        """Record a result with the next page."""
        self._page.settled.append((claim, outcome))
        self._ask()

    def give_back(self, claim: Claim) -> None:
        """Return a claim that was not armed with the next page."""
        self._page.returned.append(claim)
        self._ask()

    def _ask(self) -> None:
        if self._writer is not None and self._writer.done():
            self._writer.result()
            raise Unavailable("the ledger is closed")
        self._asked.set()

    async def _write_pages(self) -> None:
        page = _Page()
        try:
            while not (self._closing and not self._page):
                await self._asked.wait()
                await self._gather()
                self._asked.clear()
                self._has_enough.clear()
                page, self._page = self._page, _Page()
                if page:
                    _answer(page, await self._commit(page))
        except BaseException as exc:
            # Whoever waits for an arm must hear that it will never come.
            why = exc if isinstance(exc, Unavailable) else Unavailable(f"nothing can be recorded: {exc}")
            for _, answer in (*page.arms, *self._page.arms):
                if not answer.done():
                    answer.set_exception(why)
            raise

    async def _gather(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER):
                await self._has_enough.wait()

    async def _commit(self, page: _Page) -> frozenset[Claim]:
        """Write one page, trying again while the database is away: each statement may be run twice."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + KEEP_TRYING
        pause = 0.05
        while True:
            try:
                return await asyncio.to_thread(self._write, page)
            except Unavailable as exc:
                if loop.time() > give_up:
                    raise type(exc)(
                        f"deliveries could not be recorded for {KEEP_TRYING:.0f} s: {exc}"
                    ) from exc
                log.warning("ledger.retry", reason=str(exc).splitlines()[0], in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(1.0, pause * 2)

    def _write(self, page: _Page) -> frozenset[Claim]:
        now = self._clock()
        armed: frozenset[Claim] = frozenset()
        with writing(self._engine) as session:
            if page.settled:
                written = settle_deliveries(session, page.settled, now=now)
                self.lost_claims += len(page.settled) - written
                record_refusals(session, page.settled, now=now)
            if page.returned:
                return_claims(session, page.returned, owner=self._owner)
            if page.arms:
                claims = [claim for claim, _ in page.arms]
                armed = arm_deliveries(session, claims, owner=self._owner, now=now)
        if armed:
            self._on_armed([claim for claim, _ in page.arms if claim in armed], now)
        return armed


def _answer(page: _Page, armed: frozenset[Claim]) -> None:
    for claim, answer in page.arms:
        if not answer.done():
            answer.set_result(claim in armed)
