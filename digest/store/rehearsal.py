"""A copy of one newsletter to rehearse on: a dry run does everything for real, and writes only here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine, Select, Table, insert, select
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.store.database import open_engine, reading, without_foreign_keys
from digest.store.schema import make_tables
from digest.store.tables import metadata

_PAGE = 5_000
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

    Without its readers, of whom there may be a million, where nobody is addressed.
    """
    copied = _COPIED | _OF_READERS if with_readers else _COPIED
    with TemporaryDirectory(prefix="digest-dry-run-") as folder:
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
