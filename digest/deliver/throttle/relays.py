"""Turns at relays: which one a mail leaves by is known only when a conversation with it is open."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import Engine

from digest.deliver.throttle.caps import Throttle
from digest.deliver.throttle.gates import PATIENCE
from digest.deliver.throttle.slots import opens_at, take
from digest.deliver.transport import MailSession
from digest.domain.rates import Rate
from digest.store.database import writing
from digest.store.throttles import Capped, Scope, lock_slots, save_slots

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[object]]
Stops = Callable[[], bool]

STEP = 0.2
"""Seconds to sleep at most before it is asked again whether to stop."""

_AT_ONCE = 500


class RelayTurns:
    """Slots of the relays that have a cap, taken a second's worth at a time and shared by a worker."""

    def __init__(self, engine: Engine, throttle: Throttle, *, clock: Clock, sleep: Sleep) -> None:
        self._engine = engine
        self._rates = throttle.of(Scope.RELAY)
        self._usual = next(iter(throttle.relays), "")
        self._clock = clock
        self._sleep = sleep
        self._free: dict[str, deque[float]] = defaultdict(deque)
        self._taking = asyncio.Lock()

    async def wait(self, session: MailSession, stops: Stops) -> bool:
        """Wait until a mail may leave in this conversation; False: not soon, or the worker is to stop."""
        if not self._rates:
            return True
        name = self._relay_of(session)
        rate = self._rates.get(name)
        if rate is None:
            return True
        async with self._taking:
            at = await self._next(name, rate, stops)
        return at is not None and await self._until(at, stops)

    def give_back(self, session: MailSession) -> None:
        """Leave a turn that was waited for to the next conversation with this relay."""
        name = self._relay_of(session)
        if name in self._rates:
            self._free[name].appendleft(self._clock().timestamp())

    def _relay_of(self, session: MailSession) -> str:
        name = str(getattr(session, "relay", self._usual)).lower()
        return name if name in self._rates else name.partition(":")[0]

    async def _next(self, name: str, rate: Rate, stops: Stops) -> float | None:
        while not stops():
            if self._free[name]:
                return self._free[name].popleft()
            opens = await asyncio.to_thread(self._take, name, rate)
            if opens - self._clock().timestamp() > PATIENCE.total_seconds():
                return None
            if not await self._until(opens, stops):
                return None
        return None

    def _take(self, name: str, rate: Rate) -> float:
        """Take slots of a relay for about a second; return now, or when to ask again."""
        now, relay = self._clock(), Capped(Scope.RELAY, name)
        wanted = max(1, min(_AT_ONCE, int(rate.per_second)))
        with writing(self._engine) as session:
            slots, use = lock_slots(session, [relay])[relay]
            opens = opens_at(slots, rate.per_second, wanted, now=now.timestamp())
            if opens <= now.timestamp():
                moments, slots = take(slots, rate.per_second, wanted, now=now.timestamp())
                save_slots(session, {relay: (slots, use.plus(len(moments), now=now))})
                self._free[name].extend(moments)
        return opens

    async def _until(self, at: float, stops: Stops) -> bool:
        """Sleep until a moment; False when the worker is to stop before it."""
        while (wait := at - self._clock().timestamp()) > 0:
            if stops():
                return False
            await self._sleep(min(wait, STEP))
        return True
