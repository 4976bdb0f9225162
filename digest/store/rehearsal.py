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
from digest.store.schema import migrate
from digest.store.tables import metadata

_PAGE = 5_000
_LEFT_BEHIND = frozenset(
    {"deliveries", "skips", "editions", "schedules", "occurrences", "article_revisions", "decisions"}
    | {"llm_answers", "llm_calls", "llm_claims", "preflights"}
    | {"returned_mails", "soft_bounces", "suppression_removals"}
    | {"departures", "homes", "holds", "pauses"}
    | {"webhook_events", "throttles", "receivers", "mail_domains", "warm_up_days"}
    | {"dry_runs", "outlooks", "stage_runs", "heartbeats", "letters", "outages", "address_changes"}
    | {"consents", "asks", "measured_readers", "hits"}
    | {"accounts", "attempts", "entry_links", "recovery_codes", "second_factors", "sign_ins"}
    | {"sign_ups", "sign_up_tallies", "put_off_sign_ups", "never_asked"}
    | {"api_tokens", "audit", "calls", "endpoints", "kept_answers"}
)
"""What a rehearsal does not look at, and what is secret. No model is asked in one."""

_OF_READERS = frozenset(
    {"subscribers", "subscriptions", "follows", "attributes", "suppressions"}
    | {"muted_topics", "single_topics", "unwanted_sources"}
)


@contextmanager
def rehearsal(engine: Engine, newsletter_id: NewsletterId, *, with_readers: bool = True) -> Iterator[Engine]:
    """Give an engine on a throw-away SQLite copy of the newsletter, gone when the rehearsal ends.

    Without its readers, of whom there may be a million, where nobody is addressed.
    """
    left_behind = _LEFT_BEHIND if with_readers else _LEFT_BEHIND | _OF_READERS
    with TemporaryDirectory(prefix="digest-dry-run-") as folder:
        copy = open_engine(f"sqlite:///{Path(folder) / 'rehearsal.db'}")
        try:
            migrate(copy)
            # One view of all tables, and rows in any order: an article may name a later one as its story.
            with reading(engine) as source, without_foreign_keys(copy) as target:
                for table in metadata.sorted_tables:
                    if table.name not in left_behind:
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
