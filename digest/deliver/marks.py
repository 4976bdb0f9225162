"""What a sender armed last, noted outside the database: by it an older copy of the database is told.

A file for each process, written anew after every commit of arms and before their dots leave. So no mail is
out that was armed later than a mark says, and a database that does not know of what a mark names is older. A
mark is a few microseconds: it has to outlive this process, not the machine, so nothing waits for a disk.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from digest.deliver.files import FULL
from digest.domain.deliveries import Claim, DeliveryId
from digest.domain.errors import DiskFull, Misconfigured, Unavailable
from digest.domain.issues import IssueId
from digest.store.homes import Armed

_SIZE = 1024
"""Bytes of a mark, filled up with blanks: one write that takes the place of the one before."""

_NAMED_MOST = 3
"""Deliveries named in a mark: one would do, were its reader not removed by and by."""

_KEPT = 16
_KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a process armed last, in one transaction, and when."""

    armed: tuple[Armed, ...]
    at: datetime


class Marks:
    """One process's marks of one issue, and a context manager."""

    def __init__(self, folder: Path, owner: str, issue_id: IssueId) -> None:
        """Make the folder and the file. Raises `Misconfigured` or `DiskFull` when they cannot be made."""
        self._path = folder / f"{re.sub(r'[^A-Za-z0-9.-]', '_', owner)}.mark"
        self._issue_id = issue_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            # Whoever tidies up leaves alone what was touched of late.
            os.utime(self._path)
        except OSError as exc:
            if exc.errno in FULL:
                raise _full(self._path, exc) from exc
            raise Misconfigured(
                f"state_dir: {folder} cannot be written ({exc.strerror or exc}): let this user write there, "
                "or name another folder in state_dir"
            ) from exc

    def __enter__(self) -> Marks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def write(self, claims: Sequence[Claim], now: datetime) -> None:
        """Note what was armed just now. Raises `Unavailable`: then no dot may leave."""
        named = [[claim.id, claim.fence, claim.message_id] for claim in claims[-_NAMED_MOST:]]
        told = json.dumps({"issue": self._issue_id, "at": now.isoformat(), "armed": named})
        try:
            os.pwrite(self._file, f"{told:<{_SIZE - 1}}\n".encode(), 0)
        except OSError as exc:
            if exc.errno in FULL:
                raise _full(self._path, exc) from exc
            raise Unavailable(f"{self._path}: {exc.strerror or exc}") from exc


def _full(path: Path, exc: OSError) -> DiskFull:
    return DiskFull(f"the disk of {path.parent} is full ({exc.strerror})")


def read_marks(folder: Path) -> tuple[Mark, ...]:
    """Return the marks of every process that sent from this machine; none where no file tells of any."""
    found = []
    for path in sorted(folder.glob("*.mark")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            found.append(_mark(path.read_bytes()))
    return tuple(found)


def _mark(octets: bytes) -> Mark:
    told = json.loads(octets)
    issue = IssueId(int(told["issue"]))
    armed = tuple(
        Armed(DeliveryId(int(number)), issue, int(fence), str(message_id))
        for number, fence, message_id in told["armed"]
    )
    return Mark(armed, datetime.fromisoformat(told["at"]))


def tidy_marks(folder: Path, *, now: datetime) -> None:
    """Remove marks of processes long gone. The newest tell all that older ones could."""
    ages = []
    for path in folder.glob("*.mark"):
        with suppress(OSError):
            ages.append((path.stat().st_mtime, path))
    for touched, path in sorted(ages, reverse=True)[_KEPT:]:
        if touched < (now - _KEPT_FOR).timestamp():
            path.unlink(missing_ok=True)
