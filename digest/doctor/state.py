"""The folder where senders note how far they are: by it an older copy of the database is known."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from digest.doctor.checks import Check
from digest.doctor.machine import nearest
from digest.runtime import Runtime
from digest.store.database import open_engine
from digest.store.trouble import sqlite_file

_MOUNTS = Path("/proc/self/mountinfo")

_OF_OTHERS = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "fuse.sshfs",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
)
"""Kinds of file systems that another machine keeps."""

_PASSING = {
    "tmpfs": "is in memory, so a restart of this machine forgets it",
    "ramfs": "is in memory, so a restart of this machine forgets it",
    "overlay": "is inside a container, and goes with it",
}


def look_at_state(runtime: Runtime) -> Iterator[Check]:
    """Try to write there, and see whether it stays: nothing is sent while nothing can be noted."""
    folder = runtime.state_dir.resolve()
    there = nearest(folder)
    try:
        if not there.is_dir():
            raise NotADirectoryError(0, f"{there} is a file, not a folder")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as exc:
        advice = (
            "Nothing is sent while senders cannot note there how far they are: let this user write it, or "
            "let state_dir name another folder."
        )
        yield Check("state folder", False, f"{folder}: {exc.strerror or exc}", advice)
        return
    if _is_beside_database(runtime, there):
        yield Check("state folder", True, f"{folder}, on the database's disk")
    else:
        yield Check("state folder", True, f"{folder}, writable", _advice(kind_of_disk(there, _mounts())))


def _is_beside_database(runtime: Runtime, folder: Path) -> bool:
    database = sqlite_file(open_engine(runtime.settings.database_url))
    return database is not None and nearest(database.resolve()).stat().st_dev == folder.stat().st_dev


def _advice(kind: str) -> str:
    wanted = "Let state_dir name a folder on a disk of this machine's own"
    if kind in _OF_OTHERS:
        return f"It is on another machine ({kind}): while that is away, nothing is sent. {wanted}."
    if kind in _PASSING:
        return (
            f"It {_PASSING[kind]}: then an older copy of the database is not noticed. {wanted}, or a volume."
        )
    return ""


def _mounts() -> str:
    try:
        return _MOUNTS.read_text("utf-8", "replace")
    except OSError:
        return ""


def kind_of_disk(folder: Path, mounts: str) -> str:
    """Return the kind of file system a folder is on, as `mounts` (mountinfo of proc(5)) says; '' for none."""
    kinds: dict[Path, str] = {}
    for line in mounts.splitlines():
        place, _, source = line.partition(" - ")
        fields = place.split()
        if len(fields) > 4 and source:
            kinds[Path(fields[4].replace("\\040", " "))] = source.split()[0]
    return next((kinds[one] for one in (folder, *folder.parents) if one in kinds), "")
