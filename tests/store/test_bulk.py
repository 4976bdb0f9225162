from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, select

from digest.domain.errors import Conflict
from digest.store.bulk import as_stored, insert_rows
from digest.store.database import reading, writing
from digest.store.subscribers import SubscriberRow

COLUMNS = ("email", "email_key", "name", "language", "timezone", "created_at")
AT = datetime(2026, 11, 23, 7, 0, 0, 250_000, tzinfo=UTC)


def people(engine: Engine, *emails: str, name: str = "") -> None:
    with writing(engine) as session:
        at = as_stored(session, AT)
        insert_rows(session, SubscriberRow, COLUMNS, [(one, one, name, "", "", at) for one in emails])


@pytest.mark.parametrize("name", ["Ada", "a\tb\nc\\d", "\\N", "Zoë 🌍", "'); DROP TABLE subscribers; --"])
def test_what_was_written_is_read_back_as_it_was(engine: Engine, name: str) -> None:
    people(engine, "ada@example.org", name=name)
    with reading(engine) as session:
        row = session.scalars(select(SubscriberRow)).one()
        assert (row.name, row.created_at) == (name, AT)
        assert session.scalars(select(SubscriberRow.id).where(SubscriberRow.created_at <= AT)).all() == [
            row.id
        ]


def test_a_row_that_is_there_already_is_a_conflict_and_leaves_nothing_behind(engine: Engine) -> None:
    people(engine, "ada@example.org")
    with pytest.raises(Conflict, match="somebody else changed the same thing"):
        people(engine, "new@example.org", "ada@example.org")
    with reading(engine) as session:
        assert session.scalars(select(SubscriberRow.email)).all() == ["ada@example.org"]


def test_more_rows_than_one_statement_takes_are_all_written(engine: Engine) -> None:
    emails = [f"reader{number}@example.org" for number in range(1_700)]
    people(engine, *emails)
    with reading(engine) as session:
        assert session.scalars(select(SubscriberRow.email).order_by(SubscriberRow.id)).all() == emails


def test_no_rows_are_nothing_to_do(engine: Engine) -> None:
    with writing(engine) as session:
        insert_rows(session, SubscriberRow, COLUMNS, [])
    with reading(engine) as session:
        assert session.scalars(select(SubscriberRow.id)).all() == []
