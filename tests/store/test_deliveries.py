"""Deliveries are cancelled, counted, and neither lost nor doubled whatever workers do, on both databases."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Engine

from digest.domain.deliveries import Claim, DeliveryState
from digest.domain.issues import IssueState
from digest.store.claims import (
    return_claims,
)
from digest.store.database import open_engine, reading, writing
from digest.store.deliveries import (
    cancel_for_issue,
    cancel_for_subscriber,
    count_deliveries,
    edition_key_of,
    find_delivery,
    is_unfinished,
)
from tests.store.sending import (
    ACCEPTED,
    CANCELLED,
    CLAIMED,
    FAILED,
    LEASE,
    OK,
    PENDING,
    SENDING,
    UNKNOWN,
    Sending,
)
from tests.stored import NOW, change, states, stored_newsletter

# --- pending, claimed → cancelled


@pytest.mark.parametrize("state", [PENDING, CLAIMED])
def test_an_unsubscription_cancels_what_no_dot_has_left_for(sending: Sending, state: DeliveryState) -> None:
    claim = sending.in_state(state)
    assert sending.unsubscribe(claim.subscriber_id) == 1
    assert sending.state_of(claim) is CANCELLED


@pytest.mark.parametrize("state", [SENDING, ACCEPTED, FAILED, UNKNOWN, CANCELLED])
def test_what_is_armed_or_settled_is_not_cancelled(sending: Sending, state: DeliveryState) -> None:
    claim = sending.in_state(state)
    assert sending.unsubscribe(claim.subscriber_id) == 0
    assert sending.state_of(claim) is state


def test_an_unsubscription_concerns_one_newsletter_alone(sending: Sending) -> None:
    other = stored_newsletter(sending.engine, slug="daily")
    with writing(sending.engine) as session:
        assert cancel_for_subscriber(session, other.id, sending.readers[0]) == 0


def test_cancelling_an_issue_cancels_what_is_open_and_lets_the_armed_end(sending: Sending) -> None:
    armed = sending.in_state(SENDING)
    change(sending.engine, sending.issue, IssueState.CANCELLED)
    with writing(sending.engine) as session:
        assert cancel_for_issue(session, sending.issue.id) == 2
    assert sending.settle(armed) == 1
    assert sending.states == {ACCEPTED: 1, CANCELLED: 2}


# --- the sums


def test_every_row_is_in_one_state_and_they_add_up(engine: Engine) -> None:
    sending = Sending(engine, readers=7)
    for state in (UNKNOWN, ACCEPTED, FAILED, CANCELLED, SENDING, CLAIMED):
        sending.in_state(state)
    with reading(engine) as session:
        counts = count_deliveries(session, sending.issue.id)
        assert counts == dict.fromkeys(DeliveryState, 1)
        assert is_unfinished(session, sending.issue.id)


@pytest.mark.parametrize("state", [PENDING, CLAIMED, SENDING])
def test_an_issue_is_unfinished_while_anything_is_open(engine: Engine, state: DeliveryState) -> None:
    sending = Sending(engine, readers=1)
    sending.in_state(state)
    with reading(engine) as session:
        assert is_unfinished(session, sending.issue.id)


@pytest.mark.parametrize("state", [ACCEPTED, FAILED, UNKNOWN, CANCELLED])
def test_an_issue_is_finished_when_nothing_is_to_come(engine: Engine, state: DeliveryState) -> None:
    sending = Sending(engine, readers=1)
    sending.in_state(state)
    with reading(engine) as session:
        assert not is_unfinished(session, sending.issue.id)


def test_a_delivery_names_its_edition(sending: Sending) -> None:
    with reading(sending.engine) as session:
        row = find_delivery(session, sending.issue.id, sending.readers[0])
        assert row is not None
        assert edition_key_of(session, row) == "climate:0"


def walk(sending: Sending, steps: Sequence[int]) -> None:
    """Take many workers' steps in any order."""
    held: list[Claim] = []
    now = NOW
    for step in steps:
        owner = f"w{step % 3}"
        if step % 7 in (0, 1):
            held += sending.claim(owner, limit=2, now=now)
        elif step % 7 == 2 and held:
            sending.arm(held[step % len(held)], owner=owner)
        elif step % 7 == 3 and held:
            sending.settle(held[step % len(held)], OK, now=now)
        elif step % 7 == 4 and held:
            sending.give_back(held[step % len(held)], owner=owner)
        elif step % 7 == 5:
            now += LEASE
            sending.reap(now=now)
        else:
            sending.unsubscribe(sending.readers[step % len(sending.readers)])


def test_whatever_workers_do_no_delivery_is_lost_or_doubled(engine: Engine) -> None:
    sending = Sending(engine, readers=6)
    for start in range(8):
        walk(sending, [(start * 31 + step * step * 17) % 97 for step in range(25)])
        assert sum(sending.states.values()) == 6


def test_to_cancel_an_issue_waits_for_no_worker_that_gives_back_what_it_holds(
    migrated_postgres_url: str,
) -> None:
    engine = open_engine(migrated_postgres_url)
    sending = Sending(engine, readers=3)
    first, *_ = sending.claim()
    change(engine, sending.issue, IssueState.CANCELLED)
    # Each in its own order, they would wait for each other.
    with writing(engine) as worker, writing(engine) as session:
        return_claims(worker, [first], owner="w1")
        assert cancel_for_issue(session, sending.issue.id) == 2
    assert states(engine, sending.issue) == {CANCELLED: 3}
    engine.dispose()
