import pytest
from sqlalchemy import Engine

from digest.domain.errors import NotFound
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.database import reading, writing
from digest.store.subscribers import (
    find_subscription,
    get_subscription,
    set_follows,
    set_subscription_state,
    subscribe,
)
from digest.store.subscription_pages import list_subscriptions
from digest.store.suppressions import is_suppressed, suppress
from tests.stored import CLIMATE, FOOD, NOW, SPACE, stored_newsletter, stored_reader


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    return stored_newsletter(engine)


def test_a_subscriber_follows_what_they_chose(engine: Engine, newsletter: Newsletter) -> None:
    with writing(engine) as session:
        made = subscribe(
            session,
            newsletter.id,
            email="Anna@example.org",
            follows=[CLIMATE, CLIMATE, FOOD],
            name="Anna",
            language="de",
            timezone="Europe/Berlin",
            now=NOW,
        )
    assert (made.state, made.follows) == (SubscriptionState.ACTIVE, {CLIMATE, FOOD})
    with reading(engine) as session:
        assert get_subscription(session, newsletter.id, "anna@EXAMPLE.org ") == made
    assert made.subscriber.email == "Anna@example.org"


def test_an_unknown_topic_subscribes_nobody(engine: Engine, newsletter: Newsletter) -> None:
    wrong = [CLIMATE, TopicSlug("sports")]
    with pytest.raises(NotFound, match="no topic 'sports'; there is: climate"), writing(engine) as session:
        subscribe(session, newsletter.id, email="anna@example.org", follows=wrong, now=NOW)
    with reading(engine) as session:
        assert find_subscription(session, newsletter.id, "anna@example.org") is None


def test_subscribing_again_sets_the_topics_and_keeps_what_is_not_said(
    engine: Engine, newsletter: Newsletter
) -> None:
    for follows, name in (([CLIMATE], "Anna"), ([SPACE], "")):
        with writing(engine) as session:
            again = subscribe(
                session, newsletter.id, email="anna@example.org", follows=follows, name=name, now=NOW
            )
    assert (again.follows, again.subscriber.name) == ({SPACE}, "Anna")


def test_one_person_may_subscribe_to_two_newsletters(engine: Engine, newsletter: Newsletter) -> None:
    other = stored_newsletter(engine, slug="daily")
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    assert stored_reader(engine, other, "ANNA@example.org", FOOD) == who
    with writing(engine) as session:
        set_follows(session, other.id, who, [])
    with reading(engine) as session:
        assert get_subscription(session, newsletter.id, "anna@example.org").follows == {CLIMATE}
        assert get_subscription(session, other.id, "anna@example.org").follows == frozenset()


def test_a_state_changes_and_the_follows_stay(engine: Engine, newsletter: Newsletter) -> None:
    who = stored_reader(engine, newsletter, "anna@example.org", CLIMATE)
    with writing(engine) as session:
        set_subscription_state(session, newsletter.id, who, SubscriptionState.UNSUBSCRIBED, now=NOW)
    with reading(engine) as session:
        found = get_subscription(session, newsletter.id, "anna@example.org")
    assert (found.state, found.follows) == (SubscriptionState.UNSUBSCRIBED, {CLIMATE})


def test_an_unknown_address_is_not_found(engine: Engine, newsletter: Newsletter) -> None:
    with reading(engine) as session, pytest.raises(NotFound, match="is not a subscriber"):
        get_subscription(session, newsletter.id, "anna@example.org")


def test_subscribers_are_listed_in_pages_as_they_came_in(engine: Engine, newsletter: Newsletter) -> None:
    other = stored_newsletter(engine, slug="daily")
    for email in ("ben@example.org", "Anna@example.org", "carl@example.org"):
        stored_reader(engine, newsletter, email, CLIMATE)
    stored_reader(engine, other, "ada@example.org")
    with reading(engine) as session:
        first = list_subscriptions(session, newsletter.id, limit=2)
        rest = list_subscriptions(session, newsletter.id, limit=2, after=first[-1].subscriber.id)
    emails = [found.subscriber.email for found in (*first, *rest)]
    assert emails == ["ben@example.org", "Anna@example.org", "carl@example.org"]


def test_a_suppression_holds_for_every_spelling_and_is_kept_as_it_was_first(engine: Engine) -> None:
    with writing(engine) as session:
        suppress(session, "Anna@Example.org", reason="bounce", detail="5.1.1 \x00no", now=NOW)
        suppress(session, "anna@example.org", reason="complaint", detail="", now=NOW)
    with reading(engine) as session:
        assert is_suppressed(session, "ANNA@EXAMPLE.ORG")
        assert not is_suppressed(session, "ben@example.org")
