from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, func, select

from digest.address.steps import address_issue
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import NotFound
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, Subscription, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.database import reading, writing
from digest.store.subscribers import SubscriberRow, SubscriptionRow, get_subscription, set_subscription_state
from digest.store.suppressions import is_suppressed, suppress
from digest.track.leaving import resubscribe
from digest.track.steps import Change, follow, restart, unsubscribe
from tests.stored import CLIMATE, NOW, SPACE, approved_issue, states, stored_newsletter, stored_reader

ComeBack = Callable[..., Change]


def subscription(engine: Engine, newsletter: Newsletter) -> Subscription:
    with reading(engine) as session:
        return get_subscription(session, newsletter.id, "anna@example.org")


def test_who_unsubscribes_gets_nothing_more_and_may_come_back(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    stored_reader(engine, newsletter, "ben@example.org", CLIMATE)
    issue = approved_issue(engine, newsletter)
    address_issue(engine, issue.id, now=NOW)
    for change in (Change.DONE, Change.ALREADY):
        assert unsubscribe(engine, newsletter.id, who, now=NOW) is change
        assert subscription(engine, newsletter).state is SubscriptionState.UNSUBSCRIBED
        assert states(engine, issue) == {DeliveryState.CANCELLED: 1, DeliveryState.PENDING: 1}
    for change in (Change.DONE, Change.ALREADY):
        assert resubscribe(engine, newsletter.id, who, now=NOW) is change
    assert subscription(engine, newsletter).state is SubscriptionState.ACTIVE
    assert subscription(engine, newsletter).follows == {CLIMATE}


def test_unsubscribing_concerns_one_newsletter(engine: Engine) -> None:
    newsletter, other = stored_newsletter(engine), stored_newsletter(engine, slug="daily")
    for each in (newsletter, other):
        who = stored_reader(engine, each, "anna@example.org", CLIMATE)
    unsubscribe(engine, newsletter.id, who, now=NOW)
    assert subscription(engine, other).state is SubscriptionState.ACTIVE


def test_a_reader_follows_exactly_what_they_choose(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    follow(engine, newsletter.id, who, [SPACE])
    assert subscription(engine, newsletter).follows == {SPACE}
    with pytest.raises(NotFound, match="no topic 'sports'"):
        follow(engine, newsletter.id, who, [CLIMATE, TopicSlug("sports")])
    assert subscription(engine, newsletter).follows == {SPACE}
    follow(engine, newsletter.id, who, [])
    assert subscription(engine, newsletter).follows == frozenset()


def test_a_link_of_somebody_who_was_removed_changes_nothing(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    assert unsubscribe(engine, newsletter.id, SubscriberId(4711), now=NOW) is Change.REMOVED
    assert subscription(engine, newsletter).state is SubscriptionState.ACTIVE


@pytest.mark.parametrize("come_back", [resubscribe, restart])
def test_who_was_erased_is_not_made_again_by_a_link(engine: Engine, come_back: ComeBack) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    unsubscribe(engine, newsletter.id, who, now=NOW)
    with writing(engine) as session:
        session.execute(delete(SubscriberRow))
    assert come_back(engine, newsletter.id, who, now=NOW) is Change.REMOVED
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(SubscriptionRow)) == 0


@pytest.mark.parametrize("come_back", [resubscribe, restart])
def test_a_return_does_not_lift_a_suppression(engine: Engine, come_back: ComeBack) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    unsubscribe(engine, newsletter.id, who, now=NOW)
    with writing(engine) as session:
        suppress(session, "Anna@example.org", reason="complaint", detail="", now=NOW)
    assert come_back(engine, newsletter.id, who, now=NOW) is Change.SUPPRESSED
    assert subscription(engine, newsletter).state is SubscriptionState.ACTIVE
    with reading(engine) as session:
        assert is_suppressed(session, "anna@example.org")


PENDING, PAUSED = SubscriptionState.PENDING, SubscriptionState.PAUSED


@pytest.mark.parametrize(
    ("come_back", "state", "change"),
    [
        (resubscribe, PENDING, Change.NOT_FROM_HERE),
        (resubscribe, PAUSED, Change.NOT_FROM_HERE),
        (restart, PENDING, Change.NOT_FROM_HERE),
        (restart, PAUSED, Change.DONE),
        (restart, SubscriptionState.ACTIVE, Change.ALREADY),
    ],
)
def test_a_link_back_leads_out_of_its_own_states_alone(
    engine: Engine, come_back: ComeBack, state: SubscriptionState, change: Change
) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    with writing(engine) as session:
        set_subscription_state(session, newsletter.id, who, state, now=NOW)
    assert come_back(engine, newsletter.id, who, now=NOW) is change
    is_back = change is not Change.NOT_FROM_HERE
    assert subscription(engine, newsletter).state is (SubscriptionState.ACTIVE if is_back else state)


def left_at(engine: Engine) -> datetime:
    with reading(engine) as session:
        return session.scalars(select(SubscriptionRow.changed_at)).one()


def test_a_second_click_keeps_the_day_somebody_left(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    unsubscribe(engine, newsletter.id, who, now=NOW)
    unsubscribe(engine, newsletter.id, who, now=NOW + timedelta(days=3))
    assert left_at(engine) == NOW


@pytest.mark.parametrize("act", [unsubscribe, resubscribe])
def test_of_clicks_at_once_one_changes_something(engine: Engine, act: ComeBack) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    if act is resubscribe:
        unsubscribe(engine, newsletter.id, who, now=NOW)

    def click(minute: int) -> tuple[Change, datetime]:
        now = NOW + timedelta(minutes=minute)
        return act(engine, newsletter.id, who, now=now), now

    with ThreadPoolExecutor(6) as readers:
        clicks = list(readers.map(click, range(1, 7)))
    assert sorted(change.name for change, _ in clicks) == ["ALREADY"] * 5 + ["DONE"]
    assert left_at(engine) == next(now for change, now in clicks if change is Change.DONE)
