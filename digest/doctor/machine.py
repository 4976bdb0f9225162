"""The machine: its clock, its time zones, room on its disks."""

from __future__ import annotations

import shutil
import tempfile
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from digest.deliver.mail_urls import mail_folder
from digest.doctor.checks import Check
from digest.settings import Settings
from digest.store.database import open_engine
from digest.store.trouble import sqlite_file

_RELEASED = datetime(2026, 11, 1, tzinfo=UTC)

_GIB = 1 << 30

_ZONES_AT_LEAST = 400


def look_at_zones() -> Iterator[Check]:
    """Look at the clock, which cannot stand before this release, and at the time zones."""
    now, zones = datetime.now(UTC), len(zoneinfo.available_timezones())
    if now < _RELEASED:
        yield Check("clock", False, f"{now:%Y-%m-%d %H:%M} UTC", "Set the clock: this date is past already.")
    else:
        yield Check("clock", True, f"{now:%Y-%m-%d %H:%M} UTC")
    if zones < _ZONES_AT_LEAST:
        yield Check("time zones", False, f"{zones} known", "Install the system's tzdata package.")
    else:
        yield Check("time zones", True, f"{zones} known")


def look_at_disk(settings: Settings) -> Iterator[Check]:
    """Look for room on each disk that is written to."""
    seen: set[int] = set()
    for folder in _folders_written(settings):
        device = folder.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(folder).free
        advice = "Make room: a full disk stops sending." if free < _GIB else ""
        yield Check("disk", free >= _GIB / 10, f"{free / _GIB:.1f} GiB free at {folder}", advice)


def _folders_written(settings: Settings) -> Iterator[Path]:
    file = sqlite_file(open_engine(settings.database_url))
    if file is not None:
        yield nearest(file.resolve().parent)
    for folder in filter(None, map(mail_folder, settings.mail_url)):
        yield nearest(folder.resolve())
    yield Path(tempfile.gettempdir())


def nearest(path: Path) -> Path:
    """Return the path itself, or the closest folder above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())
