"""A copy of one newsletter to rehearse on: a dry run does everything for real, and writes only here."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from time import time

from sqlalchemy import Connection, Engine, Select, Table, insert, select
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.store.database import open_engine, reading, without_foreign_keys
from digest.store.schema import make_tables
from digest.store.tables import metadata

_PAGE = 5_000
_PREFIX = "digest-dry-run-"
_NEW = 60.0
"""Seconds within which a folder may be there that is not held yet."""

_COPIED = frozenset(
    {"newsletters", "topics", "topic_models", "verdicts", "sources", "hosts", "sightings", "segments"}
    | {"articles", "article_urls", "article_topics", "condensings", "takeaways", "passed_links", "feedback"}
    | {"issues", "items", "issue_topics", "issue_contents", "issue_segments", "revisions", "edits"}
    | {"approval_requests", "hidden_items", "clicks"}
)
"""What a rehearsal looks at. What is secret, of staff, or about how work is shared stays where it is."""

_OF_READERS = frozenset(
    {"subscribers", "subscriptions", "follows", "attributes", "suppressions"}
    | {"muted_topics", "single_topics", "unwanted_sources", "measured_readers"}
)
"""What addressing asks of readers; what became of mails to them, and what they wrote, it does not."""


@contextmanager
def rehearsal(engine: Engine, newsletter_id: NewsletterId, *, with_readers: bool = True) -> Iterator[Engine]:
    """Give an engine on a throw-away SQLite copy of the newsletter, gone when the rehearsal ends.

    Without its readers, of whom there may be a million, where nobody is addressed. What those left whose
    process was killed goes first.
    """
    copied = _COPIED | _OF_READERS if with_readers else _COPIED
    remove_left_behind()
    with TemporaryDirectory(prefix=_PREFIX) as folder, _held(Path(folder), fcntl.LOCK_EX):
        copy = open_engine(f"sqlite:///{Path(folder) / 'rehearsal.db'}")
        try:
            make_tables(copy, metadata)
            # One view of all tables, and rows in any order: an article may name a later one as its story.
            with reading(engine) as source, without_foreign_keys(copy) as target:
                for table in metadata.sorted_tables:
                    if table.name in copied:
                        _copy(source, target, table, newsletter_id)
            yield copy
        finally:
            copy.dispose()


def remove_left_behind() -> int:
    """Remove the copies of rehearsals whose process died, for they hold addresses; return how many."""
    count = 0
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*"):
        # Not even held for a moment while it is new: its owner is about to.
        with suppress(OSError):
            if not _is_old(folder):
                continue
            with _held(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):  # which a live one does
                if _is_old(folder):
                    rmtree(folder)
                    count += 1
    return count


def _is_old(folder: Path) -> bool:
    return folder.stat().st_mtime < time() - _NEW


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    """Hold a folder until this ends, or the process does: `how` is that of `flock`. Raises `OSError`."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, how)
        yield
    finally:
        os.close(number)


def _copy(source: Session, target: Connection, table: Table, newsletter_id: NewsletterId) -> None:
    rows = source.execute(_rows_of(table, newsletter_id), execution_options={"yield_per": _PAGE}).mappings()
    for page in rows.partitions():
        target.execute(insert(table), [dict(row) for row in page])


def _rows_of(table: Table, newsletter_id: NewsletterId) -> Select[*tuple[object, ...]]:
    """Return the table's rows that concern the newsletter; people and suppressions concern every one."""
    if table.name == "newsletters":
        return select(table).where(table.c.id == newsletter_id)
    if "newsletter_id" in table.c:
        return select(table).where(table.c.newsletter_id == newsletter_id)
    for key in table.foreign_keys:
        parent = key.column.table
        if parent is not table and (parent.name == "newsletters" or "newsletter_id" in parent.c):
            ids = select(parent.c.id).where(parent.c.newsletter_id == newsletter_id)
            return select(table).where(key.parent.in_(ids))
    return select(table)
