"""What is written along with a change is there with it, once, or not at all."""

from __future__ import annotations

import asyncio
from contextlib import suppress as ignoring

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.store.along import written_along
from digest.store.audit import list_entries, record
from digest.store.database import reading, writing
from digest.store.suppressions import is_suppressed, list_suppressions, suppress
from tests.stored import NOW

ADA, BEN = "ada@example.org", "ben@example.org"


def note(session: Session) -> None:
    record(session, by="Ada", what="api.called", about="POST /x", now=NOW)


def noted(engine: Engine) -> int:
    with reading(engine) as session:
        return len(list_entries(session, limit=9))


def put(engine: Engine, email: str) -> None:
    with writing(engine) as session:
        suppress(session, email, reason="by_hand", detail="", now=NOW)


def test_it_is_written_once_with_the_first_change(engine: Engine) -> None:
    with written_along(note):
        with writing(engine) as session:
            assert not is_suppressed(session, ADA)
        assert noted(engine) == 0
        put(engine, ADA)
        assert noted(engine) == 1
        put(engine, BEN)
    put(engine, "cleo@example.org")
    assert noted(engine) == 1


def test_what_changes_nothing_is_not_noted(engine: Engine) -> None:
    put(engine, ADA)
    with written_along(note):
        put(engine, ADA)
    assert noted(engine) == 0


def test_a_change_that_is_taken_back_takes_it_along(engine: Engine) -> None:
    with written_along(note):
        with ignoring(ZeroDivisionError), writing(engine) as session:
            suppress(session, ADA, reason="by_hand", detail="", now=NOW)
            raise ZeroDivisionError
        assert noted(engine) == 0
        put(engine, BEN)
    assert noted(engine) == 1


def test_a_trial_that_rolls_itself_back_leaves_nothing(engine: Engine) -> None:
    with written_along(note), writing(engine) as session:
        suppress(session, ADA, reason="by_hand", detail="", now=NOW)
        session.rollback()
    assert noted(engine) == 0


def test_without_it_there_is_no_change(engine: Engine) -> None:
    def fail(_session: Session) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), written_along(fail):
        put(engine, ADA)
    with reading(engine) as session:
        assert list_suppressions(session, limit=9) == ()


def test_threads_that_are_begun_meanwhile_belong_to_it(engine: Engine) -> None:
    async def change() -> None:
        with written_along(note):
            await asyncio.to_thread(put, engine, ADA)
            await asyncio.to_thread(put, engine, BEN)

    asyncio.run(change())
    assert noted(engine) == 1
