import pytest
from sqlalchemy import Engine

from digest.address.steps import address_issue
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import NotFound
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import Subscription, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.database import reading
from digest.store.subscribers import get_subscription
from digest.track.steps import follow, resubscribe, unsubscribe
from tests.stored import CLIMATE, NOW, SPACE, approved_issue, states, stored_newsletter, stored_reader


def subscription(engine: Engine, newsletter: Newsletter) -> Subscription:
    with reading(engine) as session:
        return get_subscription(session, newsletter.id, "anna@example.org")


def test_who_unsubscribes_gets_nothing_more_and_may_come_back(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    stored_reader(engine, newsletter, "ben@example.org", CLIMATE)
    issue = approved_issue(engine, newsletter)
    address_issue(engine, issue.id, now=NOW)
    for _ in range(2):
        unsubscribe(engine, newsletter.id, who, now=NOW)
        assert subscription(engine, newsletter).state is SubscriptionState.UNSUBSCRIBED
        assert states(engine, issue) == {DeliveryState.CANCELLED: 1, DeliveryState.PENDING: 1}
    resubscribe(engine, newsletter.id, who, now=NOW)
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
    unsubscribe(engine, newsletter.id, 4711, now=NOW)  # type: ignore[arg-type]
    assert subscription(engine, newsletter).state is SubscriptionState.ACTIVE
