"""Mail into a maildir folder: for development, for archives, and for a mail server that reads one."""

from __future__ import annotations

import asyncio
import mailbox
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from digest.deliver.transport import Arm, Envelope, MailSession, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Unavailable


class MaildirTransport:
    """Writes every message into one maildir, made when it is missing."""

    def __init__(self, folder: Path, *, relay: str = "") -> None:
        self._folder = folder
        self.relay = relay or f"maildir:{folder}"

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Open the folder. Raises `Unavailable` when it cannot be written."""
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            yield _MaildirSession(mailbox.Maildir(self._folder, create=True), self.relay)
        except OSError as exc:
            raise Unavailable(f"mail folder {self._folder}: {exc.strerror or exc}") from exc


class _MaildirSession:
    is_open = True

    def __init__(self, box: mailbox.Maildir, relay: str) -> None:
        self._box = box
        self.relay = relay

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Store the message as a delivery agent would, with its envelope on top (RFC 5321 §4.4)."""
        if not await arm():
            raise NotArmed
        told = (
            f"Return-Path: <{envelope.return_path}>\r\nDelivered-To: {envelope.recipient}\r\n".encode()
            + message
        )
        key = await asyncio.to_thread(self._box.add, told)
        return Outcome(DeliveryState.ACCEPTED, 250, f"stored as {key}")
