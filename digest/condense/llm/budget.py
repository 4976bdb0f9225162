"""A limit on spending that calls made at the same time cannot overshoot."""

from __future__ import annotations

import asyncio

MILLION = 1_000_000


class Budget:
    """Millionths of a US dollar for one run.

    What a call may cost at most is set aside before it, and what it did cost is written down after it. A
    call for which too little is left waits for those under way, which mostly cost less than was set aside.
    """

    def __init__(self, dollars: float) -> None:
        self.limit = int(dollars * MILLION)
        self.spent = 0
        self._set_aside = 0
        self._settled = asyncio.Condition()

    @property
    def left(self) -> int:
        """What no call has spent."""
        return max(0, self.limit - self.spent)

    async def reserve(self, most: int) -> bool:
        """Set `most` aside, waiting while calls under way may still leave enough; False when none will."""
        async with self._settled:
            while self.spent + self._set_aside + most > self.limit:
                if self.spent + most > self.limit:
                    return False
                await self._settled.wait()
            self._set_aside += most
            return True

    async def settle(self, most: int, *, cost: int) -> None:
        """Give back what was set aside for a call, and count its cost."""
        async with self._settled:
            self._set_aside -= most
            self.spent += cost
            self._settled.notify_all()


def dollars(micros: int) -> str:
    """Return an amount as people read it: $0.02, or $0.0004 where cents would say nothing."""
    return (
        f"${micros / MILLION:.2f}" if micros >= MILLION // 100 or not micros else f"${micros / MILLION:.4f}"
    )
