"""Who comes back by whatever way has not left: nobody counts them as gone, and no old undo acts on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.domain.consents import ConsentSource
from digest.domain.errors import Conflict
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import Wishes
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.pipeline.readers import Move, move
from digest.pipeline.subscribing import WantedBy, put_subscriber
from digest.store.asks import put_asks
from digest.store.database import reading, writing
from digest.store.departures import departures_after
from digest.store.subscribers import get_subscription, set_subscription_state
from digest.track.leaving import resubscribe, unsubscribe_from_all
from digest.track.steps import confirm, unsubscribe
from tests.pipeline.controlled import ACCEPTED, Controlled
from tests.stored import CLIMATE, NOW, stored_newsletter, stored_reader

ANNA = "r0@example.org"


@pytest.fixture
def sent(engine: Engine, tmp_path: Path) -> Controlled:
    """An issue that one reader was sent, who reads a daily, too."""
    send = Controlled.stored(engine, tmp_path, readers=1)
    send.address()
    send.settle(ACCEPTED)
    return send


def gone_after(sent: Controlled) -> int:
    with reading(sent.engine) as session:
        return departures_after(session, sent.issue.id).count


def state_of(sent: Controlled, newsletter_id: NewsletterId) -> SubscriptionState:
    with reading(sent.engine) as session:
        return get_subscription(session, newsletter_id, ANNA).state


def number_of(sent: Controlled) -> SubscriberId:
    with reading(sent.engine) as session:
        return get_subscription(session, sent.newsletter.id, ANNA).subscriber.id


@pytest.mark.parametrize("way", ["added again", "signed up again"])
def test_who_signs_up_again_has_not_left_any_more(sent: Controlled, way: str) -> None:
    engine, weekly = sent.engine, sent.newsletter
    daily = stored_newsletter(engine, slug="daily")
    who = stored_reader(engine, daily, ANNA, CLIMATE)
    unsubscribe_from_all(engine, daily.id, who, now=NOW)
    assert gone_after(sent) == 1
    if way == "added again":
        wanted = WantedBy(follows=[CLIMATE])
        put_subscriber(
            sent.runtime, weekly.slug, ANNA, wanted, by="Cy", source=ConsentSource.COMMAND, again=True
        )
    else:
        with writing(engine) as session:
            put_asks(session, weekly.id, {who: Wishes(frozenset({CLIMATE}))}, now=NOW)
        confirm(engine, weekly.id, who, now=NOW)
    assert (gone_after(sent), state_of(sent, weekly.id)) == (0, SubscriptionState.ACTIVE)
    unsubscribe(engine, weekly.id, who, now=NOW)
    resubscribe(engine, daily.id, who, now=NOW)
    assert state_of(sent, daily.id) is SubscriptionState.ACTIVE
    assert state_of(sent, weekly.id) is SubscriptionState.UNSUBSCRIBED, "they left it by itself since"
    assert gone_after(sent) == 1


def test_staff_bring_back_nobody_who_never_confirmed(sent: Controlled) -> None:
    engine, weekly, who = sent.engine, sent.newsletter, number_of(sent)
    with writing(engine) as session:
        set_subscription_state(session, weekly.id, who, SubscriptionState.PENDING, now=NOW)
    move(sent.runtime, weekly.slug, who, Move.UNSUBSCRIBE, by="Cy")
    with pytest.raises(Conflict, match="left and had never confirmed: they sign up anew"):
        move(sent.runtime, weekly.slug, who, Move.RETURN, by="Cy")
    assert state_of(sent, weekly.id) is SubscriptionState.UNSUBSCRIBED
