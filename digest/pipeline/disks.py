"""A disk that is full: sending waits, ops are told which, and it goes on by itself when there is room."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from digest.domain.errors import DiskFull
from digest.pipeline.ops import tell_ops
from digest.runtime import Runtime

TELL_AGAIN = timedelta(hours=1)

_told_at: dict[Path, datetime] = {}
"""When this process last told of a full disk, for where even an empty file cannot be made."""


@contextmanager
def telling_of_full_disks(runtime: Runtime) -> Iterator[None]:
    """Tell ops of a full disk that ends the work within, once an hour, and let the error go on."""
    try:
        yield
    except DiskFull as exc:
        if _is_to_be_told(runtime):
            tell_ops(
                runtime,
                "a disk is full, so nothing is sent",
                str(exc),
                to_do="Make room there. Sending is tried again every few seconds and goes on by itself. How "
                "full the disks are:",
                commands=["df -h", "digest doctor"],
            )
        raise


def _is_to_be_told(runtime: Runtime) -> bool:
    """Whether nobody told of it within the hour; the note of that is a file without content.

    The database cannot be written now, and an empty file mostly can.
    """
    file, now = runtime.state_dir / "disk-full.told", runtime.clock()
    last = _told_at.get(file)
    with suppress(OSError):
        noted = datetime.fromtimestamp(file.stat().st_mtime, now.tzinfo)
        last = max(filter(None, (last, noted)))
    if last is not None and now - last < TELL_AGAIN:
        return False
    _told_at[file] = now
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (now.timestamp(), now.timestamp()))
    return True
