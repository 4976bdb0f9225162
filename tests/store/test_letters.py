"""Letters are queued once, claimed by one, and armed only for those they still are for."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete

from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import NotFound
from digest.domain.letters import Letter, LetterId, LetterKind
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.database import reading, writing
from digest.store.letter_leases import letter_owners, reap_letters
from digest.store.letters import (
    arm_letter,
    claim_letters,
    get_letter,
    is_letter_due,
    list_letters,
    queue_letter,
    return_letters,
    settle_letter,
)
from digest.store.subscribers import SubscriberRow, set_subscription_state
from digest.store.suppressions import suppress
from tests.stored import NOW, stored_newsletter, stored_reader

LEASE = timedelta(minutes=5)
ACCEPTED = Outcome(DeliveryState.ACCEPTED, 250, "2.0.0 queued")
FOR = {
    LetterKind.CONFIRMATION: {SubscriptionState.PENDING},
    LetterKind.WELCOME: {SubscriptionState.ACTIVE},
    LetterKind.PREFERENCES: {SubscriptionState.ACTIVE, SubscriptionState.PAUSED},
    LetterKind.GOODBYE: {SubscriptionState.UNSUBSCRIBED},
}


@pytest.fixture
def newsletter(engine: Engine) -> Newsletter:
    return stored_newsletter(engine)


@pytest.fixture
def reader(engine: Engine, newsletter: Newsletter) -> SubscriberId:
    return stored_reader(engine, newsletter, "Ada@example.org")


def queued(
    engine: Engine,
    newsletter: Newsletter,
    reader: SubscriberId,
    kind: LetterKind = LetterKind.WELCOME,
    *,
    later: timedelta = timedelta(0),
) -> LetterId | None:
    with writing(engine) as session:
        return queue_letter(session, kind, newsletter.id, reader, now=NOW + later)


def claimed(engine: Engine, owner: str = "one", *, later: timedelta = timedelta(0)) -> tuple[Letter, ...]:
    with writing(engine) as session:
        now = NOW + later
        return claim_letters(session, owner=owner, limit=10, now=now, lease_until=now + LEASE)


def armed(engine: Engine, letter: Letter, owner: str = "one") -> bool:
    with writing(engine) as session:
        return arm_letter(session, letter, owner=owner, now=NOW)


def settled(engine: Engine, letter: Letter, outcome: Outcome = ACCEPTED) -> bool:
    with writing(engine) as session:
        return settle_letter(session, letter, outcome, now=NOW)


def state(engine: Engine, letter_id: LetterId) -> DeliveryState:
    with reading(engine) as session:
        return get_letter(session, letter_id).state


def move(engine: Engine, newsletter: Newsletter, reader: SubscriberId, to: SubscriptionState) -> None:
    with writing(engine) as session:
        set_subscription_state(session, newsletter.id, reader, to, now=NOW)


@pytest.mark.parametrize("kind", FOR)
@pytest.mark.parametrize("subscription", SubscriptionState)
def test_a_letter_is_armed_only_for_those_it_still_is_for(
    engine: Engine,
    newsletter: Newsletter,
    reader: SubscriberId,
    kind: LetterKind,
    subscription: SubscriptionState,
) -> None:
    letter_id = queued(engine, newsletter, reader, kind)
    assert letter_id
    (letter,) = claimed(engine)
    move(engine, newsletter, reader, subscription)
    assert armed(engine, letter) is (subscription in FOR[kind])
    with writing(engine) as session:
        return_letters(session, [letter], owner="one")
    expected = DeliveryState.SENDING if subscription in FOR[kind] else DeliveryState.CANCELLED
    assert state(engine, letter_id) is expected


def test_nothing_is_armed_for_a_suppressed_address(
    engine: Engine, newsletter: Newsletter, reader: SubscriberId
) -> None:
    queued(engine, newsletter, reader)
    (letter,) = claimed(engine)
    with writing(engine) as session:
        suppress(session, "ada@EXAMPLE.org", reason="complaint", detail="", now=NOW)
    assert not armed(engine, letter)


def test_one_of_a_kind_waits_and_one_of_a_kind_goes_out_a_day(
    engine: Engine, newsletter: Newsletter, reader: SubscriberId
) -> None:
    assert queued(engine, newsletter, reader)
    assert queued(engine, newsletter, reader) is None
    assert queued(engine, newsletter, reader, LetterKind.PREFERENCES), "another kind"
    for letter in claimed(engine):
        assert armed(engine, letter)
        assert settled(engine, letter)
    assert queued(engine, newsletter, reader, later=timedelta(hours=23)) is None
    assert queued(engine, newsletter, reader, LetterKind.PREFERENCES), "ops may ask again at once"
    assert queued(engine, newsletter, reader, later=timedelta(hours=25))


def test_what_was_refused_or_cancelled_does_not_count(
    engine: Engine, newsletter: Newsletter, reader: SubscriberId
) -> None:
    queued(engine, newsletter, reader)
    (letter,) = claimed(engine)
    settled(engine, letter, Outcome(DeliveryState.FAILED, 550, "5.1.1 no such mailbox"))
    assert queued(engine, newsletter, reader)


def test_who_was_removed_gets_none_and_leaves_none(
    engine: Engine, newsletter: Newsletter, reader: SubscriberId
) -> None:
    queued(engine, newsletter, reader)
    with writing(engine) as session:
        session.execute(delete(SubscriberRow).where(SubscriberRow.id == reader))
    with reading(engine) as session:
        assert list_letters(session, limit=10) == ()
    with pytest.raises(NotFound, match="was removed"):
        queued(engine, newsletter, reader)


def test_two_workers_never_hold_one_letter(
    engine: Engine, newsletter: Newsletter, reader: SubscriberId
) -> None:
    queued(engine, newsletter, reader)
    (letter,) = claimed(engine)
    assert claimed(engine, "two") == ()
    with writing(engine) as session:
        assert letter_owners(session) == {"one"}
        assert reap_letters(session, now=NOW + LEASE + timedelta(seconds=1)) == (1, 0)
    (taken,) = claimed(engine, "two")
    assert taken.message_id == letter.message_id
    assert not armed(engine, letter), "it slept past its lease"
    assert armed(engine, taken, "two")
    assert not settled(engine, letter)


def test_what_a_dead_owner_had_armed_is_unknown_and_a_late_answer_settles_it(
    engine: Engine, newsletter: Newsletter, reader: SubscriberId
) -> None:
    letter_id = queued(engine, newsletter, reader)
    assert letter_id
    (letter,) = claimed(engine)
    assert armed(engine, letter)
    with writing(engine) as session:
        assert reap_letters(session, now=NOW, dead=["one"]) == (0, 1)
        assert not is_letter_due(session, now=NOW + timedelta(days=9))
    assert state(engine, letter_id) is DeliveryState.UNKNOWN
    assert queued(engine, newsletter, reader) is None, "it may have arrived"
    assert settled(engine, letter)
    assert state(engine, letter_id) is DeliveryState.ACCEPTED


def test_a_deferred_letter_is_due_when_its_time_has_come(
    engine: Engine, newsletter: Newsletter, reader: SubscriberId
) -> None:
    queued(engine, newsletter, reader)
    (letter,) = claimed(engine)
    later = Outcome(DeliveryState.PENDING, 451, "4.3.0 later\x00", timedelta(minutes=2))
    settled(engine, letter, later)
    assert claimed(engine, later=timedelta(minutes=1)) == ()
    (again,) = claimed(engine, later=timedelta(minutes=2))
    assert (again.attempts, again.fence) == (1, 2)


def test_the_reaper_does_not_wait_for_a_worker_that_is_stopped_in_a_transaction(
    engine: Engine, newsletter: Newsletter, reader: SubscriberId
) -> None:
    if engine.dialect.name == "sqlite":
        return  # one lock for everything: whoever writes waits, there is nothing to pass by
    queued(engine, newsletter, reader)
    (letter,) = claimed(engine)
    with writing(engine) as stopped:
        assert arm_letter(stopped, letter, owner="one", now=NOW)
        with writing(engine) as session:
            assert reap_letters(session, now=NOW, dead=["one"]) == (0, 0)
    with writing(engine) as session:
        assert reap_letters(session, now=NOW, dead=["one"]) == (0, 1)
