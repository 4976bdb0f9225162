"""A reader's second yes at the moment in which whoever keeps the list gives them another address."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import Engine

from digest.domain.letters import LetterKind
from digest.domain.subscribers import Subscription
from digest.pipeline import readdressing
from digest.pipeline.readdressing import Moved, agree, ask_new_address, get_change, move_address
from digest.runtime import Runtime
from digest.store.address_changes import find_asked, find_reader_address
from digest.store.database import reading
from digest.store.letters import list_letters
from tests.pipeline.press import CLIMATE, Press, make_newsletter
from tests.stored import stored_reader

OLD, THEIRS, DESKS = "anna@example.org", "anna@theirs.example.org", "anna@desks.example.org"


def test_a_second_yes_waits_until_the_desk_has_moved_a_reader(
    engine: Engine, runtime: Runtime, press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The yes comes once the desk has read which address the reader has, and before it writes another."""
    newsletter = make_newsletter(engine, press)
    who = stored_reader(engine, newsletter, OLD, CLIMATE)
    ask_new_address(runtime, newsletter.id, who, THEIRS)
    with reading(engine) as session:
        asked = find_asked(session, who, old_email=OLD, new_email=THEIRS)
    assert asked
    assert agree(runtime, asked, is_new=False) is Moved.HALF
    has_read, has_agreed = Event(), Event()
    found = readdressing.get_subscription

    def slowly(*args: object) -> Subscription:
        subscription = found(*args)  # type: ignore[arg-type]
        has_read.set()
        # As long as a yes takes that waits for nobody; one that waits cannot end before this does.
        has_agreed.wait(0.5)
        return subscription

    monkeypatch.setattr(readdressing, "get_subscription", slowly)

    def agree_meanwhile() -> Moved:
        assert has_read.wait(30)
        try:
            return agree(runtime, get_change(runtime, asked.id, who), is_new=True)
        finally:
            has_agreed.set()

    with ThreadPoolExecutor(1) as threads:
        agreeing = threads.submit(agree_meanwhile)
        move_address(runtime, newsletter.slug, OLD, DESKS, by="Ada")
        assert agreeing.result() is Moved.OVER
    with reading(engine) as session:
        has = find_reader_address(session, who)
        told = [one.email for one in list_letters(session, limit=9) if one.kind is LetterKind.OLD_ADDRESS]
    assert has
    assert (has.email, told) == (DESKS, [OLD]), "nobody had the reader's mail meanwhile, and is not told"
