"""A mail kept as a file: whole or not at all, and only after its arm."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

from digest.deliver.transport import Arm, NotArmed
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import DiskFull, Unavailable

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What a system says when there is no room: on the disk, or for this user."""


async def keep(octets: bytes, *, unfinished: Path, finished: Path, arm: Arm) -> Outcome:
    """Write a mail, arm it and give it its name, which is the last step and needs no room.

    When even that fails the mail is not there, which is as definite as a server's 4xx. Raises `NotArmed`,
    `DiskFull` and `Unavailable`: then nothing was kept.
    """
    try:
        try:
            await asyncio.to_thread(_write, unfinished, octets)
        except OSError as exc:
            if exc.errno in FULL:
                raise DiskFull(f"the disk of {unfinished.parent} is full ({exc.strerror})") from exc
            raise Unavailable(f"{unfinished}: {exc.strerror or exc}") from exc
        if not await arm():
            raise NotArmed
        try:
            unfinished.rename(finished)
        except OSError as exc:
            return Outcome(DeliveryState.PENDING, None, f"{finished}: {exc.strerror or exc}")
    finally:
        unfinished.unlink(missing_ok=True)
    return Outcome(DeliveryState.ACCEPTED, 250, f"stored as {finished.name}")


def _write(path: Path, octets: bytes) -> None:
    with path.open("xb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
