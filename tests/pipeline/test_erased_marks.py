"""Of who was erased a mark is left: nobody else brings them back, and they themselves may come."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from digest.domain.consents import ConsentSource
from digest.domain.erasing import ASKED_AGAIN_AFTER, ErasureKeys
from digest.domain.errors import Conflict, Misconfigured
from digest.domain.subscribers import SubscriptionState
from digest.intake.lists.outcomes import Outcome as Became
from digest.intake.lists.steps import import_text
from digest.pipeline.erasing import erase_address
from digest.pipeline.subscribing import WantedBy, put_subscriber
from digest.pipeline.suppressing import suppress_by_hand, suppress_listed
from digest.store.database import reading, writing
from digest.store.erasures import ErasureRow, is_erased, may_be_asked
from digest.store.subscribers import subscribe
from digest.track.steps import confirm
from tests.pipeline.controlled import Controlled
from tests.pipeline.erased import ADA, number_of
from tests.stored import CLIMATE, NOW
from tests.stores_searched import columns_that_hold


@pytest.fixture
def send(engine: Engine, tmp_path: Path) -> Controlled:
    return Controlled.stored(engine, tmp_path)


def test_no_list_brings_them_back(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    keys, newsletter = send.runtime.erasure_keys, send.newsletter
    done = import_text(
        send.engine,
        newsletter,
        f"email\n{ADA}\nnew@example.org\n",
        name="r.csv",
        by="Cy",
        now=NOW,
        marked=keys,
    )
    assert (done.counts[Became.ERASED], done.added) == (1, 1)
    assert suppress_listed(send.runtime, f"{ADA}\nother@example.org", by="Cy").added == 1
    with pytest.raises(Conflict, match="was erased"):
        suppress_by_hand(send.runtime, ADA, why="again", by="Cy")
    with pytest.raises(Conflict, match="--again only if they asked"):
        put_subscriber(
            send.runtime,
            newsletter.slug,
            ADA,
            WantedBy(follows=[CLIMATE]),
            by="Cy",
            source=ConsentSource.COMMAND,
        )
    assert columns_that_hold(send.engine, ADA) == []


def test_they_themselves_may_come_back_as_somebody_new(send: Controlled) -> None:
    before = number_of(send)
    erase_address(send.runtime, ADA, by="Cy")
    wanted = WantedBy(follows=[CLIMATE])
    put_subscriber(
        send.runtime,
        send.newsletter.slug,
        ADA,
        wanted,
        by="Cy",
        source=ConsentSource.COMMAND,
        again=True,
    )
    assert number_of(send) != before
    with reading(send.engine) as session:
        assert not is_erased(session, send.runtime.erasure_keys, ADA)


def test_who_confirmed_that_they_come_back_is_treated_as_everybody(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    keys, newsletter = send.runtime.erasure_keys, send.newsletter
    with writing(send.engine) as session:
        new = subscribe(
            session, newsletter.id, email=ADA, follows=[CLIMATE], now=NOW, state=SubscriptionState.PENDING
        )
    with reading(send.engine) as session:
        assert is_erased(session, keys, ADA), "anybody may have filled in the form"
    confirm(send.engine, newsletter.id, new.subscriber.id, now=NOW)
    with reading(send.engine) as session:
        assert not is_erased(session, keys, ADA)
    assert suppress_by_hand(send.runtime, ADA, why="asked by phone", by="Cy")[1]


def test_a_form_asks_whom_it_was_erased_seldom_and_others_always(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    keys = send.runtime.erasure_keys
    with writing(send.engine) as session:
        asked = [may_be_asked(session, keys, ADA, now=NOW + timedelta(days=day)) for day in range(3)]
        assert asked == [True, False, False]
        assert may_be_asked(session, keys, ADA, now=NOW + ASKED_AGAIN_AFTER)
        assert [may_be_asked(session, keys, "r1@example.org", now=NOW) for _ in range(3)] == [True] * 3


def test_a_mark_is_known_by_every_key_and_made_by_the_newest(send: Controlled) -> None:
    erase_address(send.runtime, ADA, by="Cy")
    newer = ErasureKeys((b"newer", *send.runtime.erasure_keys.keys))
    with reading(send.engine) as session:
        (row,) = session.scalars(select(ErasureRow))
        assert (row.mark, row.key) == (
            send.runtime.erasure_keys.mark(ADA),
            send.runtime.erasure_keys.names[0],
        )
        assert is_erased(session, newer, ADA)
        assert not is_erased(session, ErasureKeys((b"another",)), ADA)
        assert not is_erased(session, newer, "r1@example.org")
    assert newer.mark(ADA) != row.mark
    assert b"newer" not in repr(newer).encode()


def test_without_a_key_nobody_is_erased(send: Controlled) -> None:
    keyless = type(send.runtime)(send.runtime.settings.model_copy(update={"secret_key": SecretStr("")}))
    with pytest.raises(Misconfigured, match="DIGEST_ERASURE_KEY"):
        erase_address(keyless, ADA, by="Cy")
    assert number_of(send)
