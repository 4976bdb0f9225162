"""Mail into `.eml` files, which mail programs open by a double click: for development and archives."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from digest.deliver.transport import Arm, Envelope, MailSession, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Unavailable


class EmlTransport:
    """Writes every message into a file of its own, in one folder, made when it is missing."""

    def __init__(self, folder: Path, *, relay: str = "") -> None:
        self._folder = folder
        self.relay = relay or f"eml:{folder}"

    @asynccontextmanager
    async def session(self) -> AsyncIterator[MailSession]:
        """Open the folder. Raises `Unavailable` when there can be none."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise Unavailable(f"mail folder {self._folder}: {exc.strerror or exc}") from exc
        yield _EmlSession(self._folder, self.relay)


class _EmlSession:
    is_open = True

    def __init__(self, folder: Path, relay: str) -> None:
        self._folder = folder
        self.relay = relay

    async def send(self, envelope: Envelope, message: bytes, arm: Arm) -> Outcome:
        """Store the message with its envelope on top (RFC 5321 §4.4); files sort by their time."""
        if not await arm():
            raise NotArmed
        on_top = f"Return-Path: <{envelope.return_path}>\r\nDelivered-To: {envelope.recipient}\r\n".encode()
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}.eml"
        try:
            await asyncio.to_thread(_write, self._folder / name, on_top + message)
        except OSError as exc:
            return Outcome(DeliveryState.PENDING, None, f"{self._folder / name}: {exc.strerror or exc}")
        return Outcome(DeliveryState.ACCEPTED, 250, f"stored as {name}")


def _write(path: Path, message: bytes) -> None:
    """Have the file appear whole or not at all."""
    unfinished = path.with_suffix(".part")
    try:
        with unfinished.open("xb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
