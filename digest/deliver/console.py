"""Mail on the screen, for development: every message is printed, and none is sent."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from digest.deliver.transport import Arm, Envelope, MailSession, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome

_RULE = "-" * 76
_one_at_a_time = threading.Lock()


class ConsoleTransport:
    """Prints to standard output."""

    def __init__(self, *, relay: str = "") -> None:
        self.relay = relay or "console"

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Open nothing: the screen is there."""
        yield _ConsoleSession(self.relay)


class _ConsoleSession:
    is_open = True

    def __init__(self, relay: str) -> None:
        self.relay = relay

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Print the message as it is, below its envelope."""
        if not await arm():
            raise NotArmed
        text = message.decode("utf-8", "replace").replace("\r\n", "\n")
        told = (
            f"{_RULE}\nMAIL FROM:<{envelope.return_path}> RCPT TO:<{envelope.recipient}>\n{_RULE}\n{text}\n"
        )
        try:
            await asyncio.to_thread(_print, told)
        except OSError as exc:
            return Outcome(DeliveryState.PENDING, None, f"standard output: {exc.strerror or exc}")
        return Outcome(DeliveryState.ACCEPTED, 250, "printed")


def _print(text: str) -> None:
    with _one_at_a_time:
        sys.stdout.write(text)
        sys.stdout.flush()
