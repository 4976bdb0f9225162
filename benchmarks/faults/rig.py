"""A way for mail to leave that stands still at a chosen point of a message, so that it can be hit there.

The points are reached by wrapping the port: nothing in Digest knows of them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from multiprocessing.connection import Connection

from digest.deliver.transport import Arm, Envelope, MailSession, Transport
from digest.domain.deliveries import Outcome


class Point(StrEnum):
    """Where a conversation can be held: the last thing that was done with its message."""

    CLAIMED = "claimed, and its body written"
    ARMED = "armed, and the dot not sent"
    ANSWERED = "answered, and the answer not recorded"


@dataclass(frozen=True, slots=True)
class Rig:
    """How a worker is prepared.

    Its conversations stand still `at` a point from the message after `after` on. Its clock is fast by
    `ahead`; one that `wanders` jumps by an hour to either side whenever it is read. `timeout` is how long the
    mail server may be silent, in seconds. With `awaits_cut`, a message that the sink will cut is armed only
    when it has: the arm is quick, and might come before. `pages` is how many the SQLite file may have, 0 for
    as many as it likes.
    """

    at: Point | None = None
    after: int = 0
    ahead: timedelta = timedelta(0)
    sessions: int = 4
    timeout: float = 60.0
    awaits_cut: bool = False
    pages: int = 0
    wanders: bool = False

    def clock(self) -> datetime:
        """Return what the worker takes for the present moment."""
        jump = random.choice((-1, 0, 1)) if self.wanders else 0
        return datetime.now(UTC) + self.ahead + timedelta(hours=jump)


SOUND = Rig()
"""A worker that nothing is wrong with."""


class RiggedTransport:
    """Mail over another transport, held where the rig says until a word comes over `talk`."""

    def __init__(self, inner: Transport, rig: Rig, talk: Connection) -> None:
        self._inner = inner
        self._rig = rig
        self._talk = talk
        self._passed = 0
        self._cut: set[str] = set()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Open a conversation of the inner transport."""
        async with self._inner.session() as session:
            yield _RiggedSession(session, self)

    async def reach(self, point: Point) -> None:
        """Stand still here if this is the point: say so, then wait for the word that lets all go on."""
        if point is not self._rig.at:
            return
        self._passed += 1
        if self._passed <= self._rig.after or self._talk.poll():
            return
        self._talk.send(point.value)
        while not self._talk.poll():
            await asyncio.sleep(0.01)

    async def await_cut(self, session: MailSession, envelope: Envelope) -> None:
        """Wait until the sink has cut a message that it is to cut; the second try is let through."""
        named = self._rig.awaits_cut and envelope.recipient.startswith("reset-in-body")
        if named and envelope.recipient not in self._cut:
            self._cut.add(envelope.recipient)
            while session.is_open:
                await asyncio.sleep(0.002)


class _RiggedSession:
    def __init__(self, inner: MailSession, rigged: RiggedTransport) -> None:
        self._inner = inner
        self._rigged = rigged

    @property
    def is_open(self) -> bool:
        return self._inner.is_open

    @property
    def relay(self) -> str:
        return self._inner.relay

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        async def held() -> bool:
            await self._rigged.await_cut(self._inner, envelope)
            await self._rigged.reach(Point.CLAIMED)
            is_armed = await arm()
            if is_armed:
                await self._rigged.reach(Point.ARMED)
            return is_armed

        outcome = await self._inner.send(envelope, message, held)
        await self._rigged.reach(Point.ANSWERED)
        return outcome
