"""No table may name a reader whom erasing would not find."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import String, Text, text

from digest.store.base import Base
from digest.store.database import open_engine, writing
from digest.store.erasing import leave_no_trace
from digest.store.mentions import TEXTS
from digest.store.subscribers import SubscriberRow
from digest.store.tables import metadata
from tests.stored import stored_newsletter, stored_reader

AS_NUMBERS = {"deliveries", "skips", "erasure_orders"}
"""Where a subscriber stays as a number, so that issues' counts hold."""

TAKEN_OUT = {"preview_links"}
ADDRESSED = {
    "subscribers",
    "deliveries",
    "letters",
    "returned_mails",
    "suppressions",
    "suppression_removals",
    "address_changes",
    "sign_ups",
    "put_off_sign_ups",
    "erasure_orders",
}
"""Where an address of a reader stands; `accounts` has those of people who sign in."""


def test_whatever_refers_to_a_subscriber_goes_with_them() -> None:
    owner = SubscriberRow.__table__.c.id
    refer = {
        table.name: [
            key.ondelete for column in table.columns for key in column.foreign_keys if key.column is owner
        ]
        for table in metadata.sorted_tables
    }
    assert {tuple(rules) for rules in refer.values() if rules} == {("CASCADE",)}
    named = {table.name for table in metadata.sorted_tables if "subscriber_id" in table.columns}
    assert named - {name for name, rules in refer.items() if rules} == AS_NUMBERS | TAKEN_OUT, (
        "erasing does not reach this table: give it a foreign key to subscribers with ondelete='CASCADE'"
    )


def test_whatever_holds_an_address_is_known_to_erasing() -> None:
    addressed = {
        table.name
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name in ("email", "email_key", "old_key", "new_key")
    }
    assert addressed - {"accounts"} == ADDRESSED, "erasing does not know of this table: see store/erasing.py"


def test_texts_that_are_searched_are_texts() -> None:
    for table, texts in TEXTS:
        assert issubclass(table, Base)
        for column in texts:
            assert isinstance(column.type, String | Text)
            assert column.class_ is table


def test_sqlite_keeps_nothing_of_what_is_removed_in_its_files(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    newsletter = stored_newsletter(engine)
    stored_reader(engine, newsletter, "ada@example.org")
    with writing(engine) as session:
        session.execute(text("UPDATE subscribers SET name = 'Ada Fenwick of the lighthouse'"))
        session.execute(text("UPDATE subscribers SET name = ''"))
        session.execute(text("DELETE FROM subscribers"))
    assert leave_no_trace(engine)
    file = Path(str(engine.url.database))
    held = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    engine.dispose()
    assert b"lighthouse" not in held
    assert b"ada@example" not in held
