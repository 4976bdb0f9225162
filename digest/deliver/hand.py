"""What a worker holds and has not begun: claimed a batch at a time, each handed out in its turn."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import Engine

from digest.deliver.ledger import Clock, Ledger
from digest.deliver.throttle.caps import Throttle
from digest.deliver.throttle.gates import PATIENCE
from digest.deliver.throttle.relays import STEP, Sleep
from digest.deliver.throttle.turns import Batch, Turn, Turns
from digest.domain.deliveries import Claim
from digest.domain.errors import Unavailable
from digest.domain.issues import IssueId
from digest.store.claims import return_claims
from digest.store.database import reading, writing
from digest.store.throttles import let_go

log = structlog.get_logger(__name__)

_NEVER = float("inf")

LOOK_AGAIN = 3.0
"""Seconds after which a worker that holds claims asks whether their receivers were paused or slowed down
meanwhile, by ops or by what other workers heard: a batch may last for minutes where a server is slow."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker sends: conversations at once, deliveries claimed at a time, how long a claim is held."""

    sessions: int = 20
    batch: int = 500
    lease: timedelta = timedelta(minutes=5)


USUAL_PACE = Pace()


class Hand:
    """The claims of one worker in one issue."""

    def __init__(
        self,
        engine: Engine,
        issue_id: IssueId,
        ledger: Ledger,
        *,
        owner: str,
        clock: Clock,
        pace: Pace,
        throttle: Throttle,
        sleep: Sleep,
        before_claim: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._before_claim = before_claim
        self._ledger = ledger
        self._owner = owner
        self._clock = clock
        self._pace = pace
        self._sleep = sleep
        self._turns = Turns(issue_id, throttle, owner=owner)
        self._ready: deque[Claim] = deque()
        self._held: list[Turn] = []
        self._fresh_until = 0.0
        self._looks_from = 0.0
        self._claims_from = 0.0
        """When there may be something to claim; never, once nothing was due."""
        self._choosing = asyncio.Lock()
        self._day: date | None = None
        self._unused = 0
        self._is_refundable = False

    async def next(self, stops: Callable[[], bool]) -> Claim | None:
        """Return the next claim when its turn has come; None when nothing is due soon, or it is to stop.

        Raises `DigestError` when the database does not say.
        """
        async with self._choosing:
            while not stops() and not self.is_quiet():
                now = self._clock().timestamp()
                if (self._ready or self._held) and now >= self._looks_from:
                    await self._look_again(now)
                if self._ready and now <= self._fresh_until:
                    return self._ready.popleft()
                if self._ready:
                    # So long was nobody there to take them that their leases end soon: they are due again.
                    await self._return_all()
                if self._held and self._held[0].at <= now:
                    return heapq.heappop(self._held).claim
                if now >= self._claims_from:
                    await self._claim_more()
                    continue
                wake = min(self._held[0].at if self._held else _NEVER, self._claims_from)
                if wake > now + PATIENCE.total_seconds():
                    return None
                await self._sleep(min(wake - now, STEP))
        return None

    def is_quiet(self) -> bool:
        """Whether the newsletter's quiet hours have begun."""
        quiet = self._turns.quiet
        return quiet is not None and quiet.holds(self._clock())

    def put_back(self, claim: Claim) -> None:
        """Leave a claim to another conversation."""
        self._ready.appendleft(claim)

    async def reconsider(self) -> None:
        """Return what is held and claim anew: what may leave, and when, has changed."""
        async with self._choosing:
            await self._return_all()

    async def _look_again(self, now: float) -> None:
        self._looks_from = now + LOOK_AGAIN
        if await asyncio.to_thread(self._is_outdated):
            await self._return_all()

    def _is_outdated(self) -> bool:
        with reading(self._engine) as session:
            return self._turns.is_outdated(session)

    async def _return_all(self) -> None:
        claims = [*self._ready, *(turn.claim for turn in self._held)]
        self._ready.clear()
        self._held.clear()
        if claims:
            await asyncio.to_thread(self._return, claims)
        self._claims_from = 0.0

    def give_back_all(self) -> bool:
        """Give back what nobody got to; return whether there was anything."""
        had_any = bool(self._ready or self._held)
        self._ready.extend(turn.claim for turn in self._held)
        self._held.clear()
        self._give_back_ready()
        return had_any

    def refund(self) -> None:
        """Have what was given back counted on no day of the warm-up; lost, it leaves some of a day unused."""
        if self._day is None or not self._is_refundable or not self._unused:
            return
        try:
            with writing(self._engine) as session:
                let_go(session, self._day, -self._unused)
        except Unavailable as exc:
            log.warning("throttle.not_refunded", day=self._day, mails=self._unused, reason=str(exc))

    def _give_back_ready(self) -> None:
        self._unused += len(self._ready)
        while self._ready:
            self._ledger.give_back(self._ready.popleft())

    def _return(self, claims: list[Claim]) -> None:
        self._unused += len(claims)
        with writing(self._engine) as session:
            return_claims(session, claims, owner=self._owner)

    async def _claim_more(self) -> None:
        now = self._clock()
        batch = await asyncio.to_thread(self._claim, now)
        for turn in batch.turns:
            if turn.at <= now.timestamp():
                self._ready.append(turn.claim)
            else:
                heapq.heappush(self._held, turn)
        self._fresh_until = (now + self._pace.lease / 2).timestamp()
        self._looks_from = now.timestamp() + LOOK_AGAIN
        self._claims_from = self._claims_again(batch)
        self._count_from(batch.day)

    def _claims_again(self, batch: Batch) -> float:
        if batch.turns or batch.put_off:
            return 0.0
        if batch.opens_at is not None:
            return batch.opens_at.timestamp()
        # Nothing is due. What was put off may be when the last that is held has left.
        return max(self._held).at if self._held else _NEVER

    def _count_from(self, day: date | None) -> None:
        if day is not None and day != self._day:
            # Over midnight nobody can say on which day what is given back was counted: it stays counted.
            self._is_refundable, self._day = self._day is None, day

    def _claim(self, now: datetime) -> Batch:
        self._before_claim()
        with writing(self._engine) as session:
            return self._turns.claim(
                session, limit=self._pace.batch, now=now, lease_until=now + self._pace.lease
            )
