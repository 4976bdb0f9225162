"""Uploaded lists are looked through before anybody waits; what has changed since is looked through again."""

from __future__ import annotations

import zlib

import pytest
from sqlalchemy import Engine, update

from digest.domain.reader_lists import ListTerms
from digest.store import lists_without
from digest.store.database import reading, writing
from digest.store.lists_without import look_through, take_out_of_lists
from digest.store.mentions import Mentions
from digest.store.reader_lists import ReaderListRow, add_reader_list
from tests.stored import NOW, stored_newsletter

ADA, BEN = Mentions("ada@example.org"), Mentions("ben@example.org")
HEAD, HERS, HIS = "email\n", "ada@example.org\n", "ben@example.org\n"


@pytest.fixture
def lists(engine: Engine) -> list[int]:
    """Two lists: both are on the first."""
    newsletter = stored_newsletter(engine)
    with writing(engine) as session:
        return [
            add_reader_list(
                session,
                newsletter.id,
                file="list.csv",
                content=packed(text),
                terms=ListTerms(),
                by="Cy",
                now=NOW,
            ).id
            for text in (HEAD + HERS + HIS, HEAD + HIS)
        ]


def packed(text: str) -> bytes:
    return zlib.compress(text.encode(), 6)


def kept(engine: Engine, number: int) -> str:
    with reading(engine) as session:
        content = session.get_one(ReaderListRow, number).content
    assert content
    return zlib.decompress(content).decode()


def test_what_was_looked_through_is_not_read_again(
    engine: Engine, lists: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(engine) as session:
        looked = look_through(session, ADA)
    monkeypatch.delattr(lists_without, "without_lines")
    with writing(engine) as session:
        assert take_out_of_lists(session, ADA, looked) == 1
    assert [kept(engine, number) for number in lists] == [HEAD + HIS, HEAD + HIS]


def test_what_has_changed_since_is_looked_through_again(engine: Engine, lists: list[int]) -> None:
    with reading(engine) as session:
        looked = look_through(session, ADA)
    other = "carl@example.org\n"
    with writing(engine) as session:
        assert take_out_of_lists(session, BEN) == 2
        was = ReaderListRow.id == lists[1]
        session.execute(update(ReaderListRow).where(was).values(content=packed(HEAD + HERS + other)))
    with writing(engine) as session:
        assert take_out_of_lists(session, ADA, looked) == 2
    assert [kept(engine, number) for number in lists] == [HEAD, HEAD + other], "he did not come back"
