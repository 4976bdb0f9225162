"""Uploaded lists are looked through, then written as they were found; what has changed since is not."""

from __future__ import annotations

import zlib
from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, update

from digest.domain.reader_lists import ListTerms, ReaderListId
from digest.intake.lists.files import LIKELY
from digest.store.database import reading, writing
from digest.store.lists_without import Rest, find_whole, list_numbers, put_rest
from digest.store.mentions import Mentions
from digest.store.reader_lists import ReaderListRow, add_reader_list, claim_list, end_list, pending_lists
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


def look(engine: Engine, number: int, *who: Mentions) -> Rest | None:
    with reading(engine) as session:
        found = find_whole(session, ReaderListId(number))
    assert found
    return found.without(who, LIKELY)


def put(engine: Engine, number: int, rest: Rest | None) -> bool:
    assert rest
    with writing(engine) as session:
        return put_rest(session, ReaderListId(number), rest)


def test_a_list_loses_all_of_them_at_once_and_one_without_them_stays(
    engine: Engine, lists: list[int]
) -> None:
    both, his = lists
    assert put(engine, both, look(engine, both, ADA, BEN))
    assert (kept(engine, both), kept(engine, his)) == (HEAD, HEAD + HIS)
    assert look(engine, his, ADA) is None
    assert look(engine, both, ADA, BEN) is None


def test_what_has_changed_since_is_not_written_over(engine: Engine, lists: list[int]) -> None:
    both, _ = lists
    rest = look(engine, both, ADA)
    assert put(engine, both, look(engine, both, BEN))
    assert not put(engine, both, rest)
    assert kept(engine, both) == HEAD + HERS, "he does not come back"
    assert put(engine, both, look(engine, both, ADA))
    assert kept(engine, both) == HEAD
    with writing(engine) as session:
        session.execute(update(ReaderListRow).values(told=""))
        session.execute(update(ReaderListRow).values(problem="line 2: 'ada@example.org,' names no list"))
    rest = look(engine, both, ADA)
    with writing(engine) as session:
        session.execute(update(ReaderListRow).values(problem="ben@example.org, too"))
    assert not put(engine, both, rest)


def test_one_that_went_is_gone(engine: Engine, lists: list[int]) -> None:
    both, _ = lists
    rest = look(engine, both, ADA)
    with writing(engine) as session:
        session.execute(delete(ReaderListRow))
        assert list_numbers(session) == ()
        assert find_whole(session, ReaderListId(both)) is None
    assert not put(engine, both, rest)


def test_a_file_that_is_called_by_their_address_is_called_otherwise_and_its_report_goes(
    engine: Engine, lists: list[int]
) -> None:
    both, _ = lists
    with writing(engine) as session:
        told = {
            "file": "ada@example.org.csv",
            "problem": "ada@example.org.csv line 3: no",
            "report": packed("x"),
        }
        session.execute(update(ReaderListRow).where(ReaderListRow.id == both).values(told))
    assert put(engine, both, look(engine, both, ADA))
    with reading(engine) as session:
        row = session.get_one(ReaderListRow, both)
    assert (row.file, row.problem, row.report) == ("(erased).csv", "(erased).csv line 3: no", None)
    assert kept(engine, both) == HEAD + HIS


def test_one_that_a_worker_is_at_begins_anew_where_its_lines_have_changed(
    engine: Engine, lists: list[int]
) -> None:
    for number in lists:
        with writing(engine) as session:
            claim_list(session, ReaderListId(number), now=NOW, lease_until=NOW + timedelta(minutes=5))
    both, his = lists
    assert put(engine, both, look(engine, both, ADA))
    with reading(engine) as session:
        assert pending_lists(session, now=NOW) == (both,)
        assert look(engine, his, ADA) is None


def test_one_that_a_worker_is_at_begins_anew_where_only_its_name_was_theirs(
    engine: Engine, lists: list[int]
) -> None:
    _, his = lists
    with writing(engine) as session:
        session.execute(
            update(ReaderListRow).where(ReaderListRow.id == his).values(file=f"{HERS.strip()}.csv")
        )
        lease_until = NOW + timedelta(minutes=5)
        claim = claim_list(session, ReaderListId(his), now=NOW, lease_until=lease_until)
    assert claim
    claimed, *_ = claim
    assert put(engine, his, look(engine, his, ADA))
    with writing(engine) as session:
        end_list(session, claimed, told=None, problem=f"{claimed.file} line 2: no", now=NOW)
    with reading(engine) as session:
        row = session.get_one(ReaderListRow, his)
        assert (row.file, row.problem, row.ended_at, row.is_kept) == ("(erased).csv", "", None, True)
        assert his in pending_lists(session, now=NOW)
    assert kept(engine, his) == HEAD + HIS


@pytest.mark.parametrize(
    ("head", "terms"),
    [
        # Beehiiv's column is a likely one, and the last is the terms'.
        ("Status;Notes, words, other", ListTerms(columns={"e-mail": "email"})),
        ("E-Mail;Notes, words, other", ListTerms(columns={"E-mail": "email"})),
    ],
)
def test_a_list_is_parted_by_the_columns_of_programs_and_of_its_own_terms(
    engine: Engine, head: str, terms: ListTerms
) -> None:
    his = f'{HIS.strip()};"two\nlines"\n'
    content = packed(f'{head}\n{HERS.strip()};"5 Lighthouse Road\nLondon"\n{his}')
    newsletter = stored_newsletter(engine)
    with writing(engine) as session:
        uploaded = add_reader_list(
            session, newsletter.id, file="list.csv", content=content, terms=terms, by="Cy", now=NOW
        )
    assert put(engine, uploaded.id, look(engine, uploaded.id, ADA))
    assert kept(engine, uploaded.id) == f"{head}\n{his}"
