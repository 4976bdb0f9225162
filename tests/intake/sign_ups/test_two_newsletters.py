"""Who signs up for two newsletters whose topics share a short name gets of each what they asked it for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digest.domain.newsletters import Newsletter
from digest.domain.sign_ups import Asked, SignUpOutcome
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.asks import find_ask
from digest.store.database import reading
from digest.track.steps import Change, confirm, unsubscribe
from tests.intake.sign_ups.conftest import LATER, Door
from tests.stored import CLIMATE, FOOD, NOW, SPACE, TOPICS, stored_newsletter

ADA = "ada@example.org"


@pytest.fixture
def door(door: Door) -> Door:
    """A door where a mailbox may be asked as often as there are newsletters."""
    return door.capped(per_address_day=2)


@pytest.fixture
def daily(door: Door) -> Newsletter:
    """Another newsletter with topics of the same short names, in another order and called otherwise."""
    topics = [replace(topic, name=f"{topic.name} in the Daily") for topic in reversed(TOPICS)]
    return stored_newsletter(door.engine, slug="daily", topics=topics)


def asked(door: Door, newsletter: Newsletter) -> Asked | None:
    with reading(door.engine) as session:
        return find_ask(session, newsletter.id, ada(door))


def ada(door: Door) -> SubscriberId:
    return door.get(ADA).subscriber.id


def begin(door: Door, newsletter: Newsletter) -> None:
    assert confirm(door.engine, newsletter.id, ada(door), now=NOW) is Change.DONE


def follows(door: Door, newsletter: Newsletter) -> tuple[SubscriptionState, set[TopicSlug]]:
    found = door.find(ADA, newsletter)
    assert found
    return found.state, set(found.follows)


def test_who_thinks_better_of_one_changes_nothing_of_the_other(door: Door, daily: Newsletter) -> None:
    door.sign_up(ADA, CLIMATE)
    door.sign_up(ADA, CLIMATE, newsletter=daily)
    door.take_in()
    before = asked(door, door.newsletter)
    door.sign_up(ADA, FOOD, newsletter=daily)
    assert door.take_in() == {SignUpOutcome.PER_ADDRESS: 1}
    assert asked(door, door.newsletter) == before
    changed = asked(door, daily)
    assert changed
    assert changed.wishes.topics == {FOOD}
    begin(door, door.newsletter)
    begin(door, daily)
    assert follows(door, door.newsletter)[1] == {CLIMATE}
    assert follows(door, daily)[1] == {FOOD}


def test_who_comes_back_to_one_keeps_what_they_follow_of_the_other(door: Door, daily: Newsletter) -> None:
    door.sign_up(ADA, CLIMATE, SPACE)
    door.sign_up(ADA, CLIMATE, FOOD, newsletter=daily)
    door.take_in()
    begin(door, door.newsletter)
    begin(door, daily)
    unsubscribe(door.engine, daily.id, ada(door), now=NOW)
    door.sign_up(ADA, SPACE, at=LATER, newsletter=daily)
    assert door.take_in(now=LATER) == {SignUpOutcome.ASKED: 1}
    begin(door, daily)
    assert follows(door, daily) == (SubscriptionState.ACTIVE, {SPACE})
    assert follows(door, door.newsletter) == (SubscriptionState.ACTIVE, {CLIMATE, SPACE})
