"""Mail into a maildir folder: for development, for archives, and for a mail server that reads one."""

from __future__ import annotations

import mailbox
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from digest.deliver.files import keep
from digest.deliver.transport import Arm, Envelope, MailSession
from digest.domain.deliveries import Outcome
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
            mailbox.Maildir(self._folder, create=True)
        except OSError as exc:
            raise Unavailable(f"mail folder {self._folder}: {exc.strerror or exc}") from exc
        yield _MaildirSession(self._folder, self.relay)


class _MaildirSession:
    is_open = True

    def __init__(self, folder: Path, relay: str) -> None:
        self._folder = folder
        self.relay = relay

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Store the message as a delivery agent would, with its envelope on top (RFC 5321 §4.4)."""
        on_top = f"Return-Path: <{envelope.return_path}>\r\nDelivered-To: {envelope.recipient}\r\n".encode()
        name = f"{time.time():.6f}.{os.getpid()}_{secrets.token_hex(6)}.{_HOST}"
        return await keep(
            on_top + message,
            unfinished=self._folder / "tmp" / name,
            finished=self._folder / "new" / name,
            arm=arm,
        )


_HOST = socket.gethostname().replace("/", "_").replace(":", "_")
