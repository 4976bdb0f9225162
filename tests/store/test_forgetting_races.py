"""Who comes back while those who left are forgotten is not forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import Engine

from digest.domain.erasing import ErasureKeys
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store import terms
from digest.store.database import reading, writing
from digest.store.erasures import is_erased
from digest.store.subscribers import find_address, set_subscription_state, subscribe
from tests.stored import CLIMATE, NOW, stored_newsletter, stored_reader

ADA = "ada@example.org"
KEYS = ErasureKeys((b"k" * 32,))
LATER = NOW + timedelta(days=2_000)


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    return stored_newsletter(engine)


def left(engine: Engine, newsletter: Newsletter, state: SubscriptionState) -> SubscriberId:
    """Somebody who left, or never confirmed, long ago."""
    ada = stored_reader(engine, newsletter, ADA, CLIMATE)
    with writing(engine) as session:
        set_subscription_state(session, newsletter.id, ada, state, now=NOW)
    return ada


def forget(engine: Engine) -> int:
    with writing(engine) as session:
        return terms.forget_left(session, LATER, 0, 100, keys=KEYS, now=LATER).removed


def test_who_comes_back_between_the_look_and_the_removal_stays(
    engine: Engine, newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = left(engine, newsletter, SubscriptionState.UNSUBSCRIBED)
    has_looked, is_back = Event(), Event()
    look = terms._still_gone

    def slowly(*args: object) -> object:
        has_looked.set()
        # On SQLite whoever comes back waits for this transaction, and finds themselves gone.
        is_back.wait(30 if engine.dialect.name == "postgresql" else 0.3)
        return look(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(terms, "_still_gone", slowly)

    def come_back() -> None:
        assert has_looked.wait(30)
        try:
            with writing(engine) as session:
                subscribe(session, newsletter.id, email=ADA, follows=[CLIMATE], now=LATER)
        finally:
            is_back.set()

    with ThreadPoolExecutor(1) as threads:
        coming = threads.submit(come_back)
        forget(engine)
        coming.result()
    with reading(engine) as session:
        found = find_address(session, ada)
        is_here = engine.dialect.name == "sqlite" or found == ADA
        assert is_here, "they were removed after they came back"
        assert not is_erased(session, KEYS, ADA), "who is here counts as erased by nobody"


def test_who_stays_away_is_forgotten(engine: Engine, newsletter: Newsletter) -> None:
    ada = left(engine, newsletter, SubscriptionState.UNSUBSCRIBED)
    assert forget(engine) == 1
    with reading(engine) as session:
        assert find_address(session, ada) is None
        assert is_erased(session, KEYS, ADA)


def test_who_asks_for_another_newsletter_stays_though_they_never_confirmed_one(
    engine: Engine, newsletter: Newsletter
) -> None:
    """They subscribe to the other one after the page was read, and before they would be removed."""
    other = stored_newsletter(engine, slug="daily")
    ada = left(engine, newsletter, SubscriptionState.PENDING)
    has_begun, may_commit = Event(), Event()

    def subscribe_to_other() -> None:
        with writing(engine) as session:
            subscribe(session, other.id, email=ADA, follows=[], now=LATER)
            has_begun.set()
            may_commit.wait(0.5)

    def purge() -> None:
        assert has_begun.wait(30)
        with writing(engine) as session:
            terms.forget_unconfirmed(session, LATER, 100)

    with ThreadPoolExecutor(2) as threads:
        for one in [threads.submit(subscribe_to_other), threads.submit(purge)]:
            one.result()
    with reading(engine) as session:
        assert find_address(session, ada) == ADA
