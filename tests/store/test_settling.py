"""What a server answers settles a delivery once; what the dead held is taken back."""

import pytest

from digest.domain.deliveries import DeliveryState, Outcome
from digest.store.claims import (
    settle_deliveries,
)
from digest.store.database import reading, writing
from digest.store.deliveries import (
    find_delivery,
)
from tests.store.sending import (
    ACCEPTED,
    CANCELLED,
    CLAIMED,
    FAILED,
    LATER,
    LEASE,
    OK,
    PENDING,
    SENDING,
    UNKNOWN,
    Sending,
)
from tests.stored import NOW

# --- settling


@pytest.mark.parametrize("state", [ACCEPTED, FAILED, UNKNOWN, PENDING])
def test_an_armed_delivery_is_settled_by_its_outcome(sending: Sending, state: DeliveryState) -> None:
    claim = sending.in_state(SENDING)
    assert sending.settle(claim, Outcome(state, 299, "words")) == 1
    with reading(sending.engine) as session:
        row = find_delivery(session, sending.issue.id, claim.subscriber_id)
        assert row is not None
        assert (row.state, row.smtp_code, row.smtp_text, row.attempts) == (state, 299, "words", 1)
        # Who had one of unknown outcome is evidence.
        owner = "w1" if state is UNKNOWN else None
        assert (row.owner, row.lease_until, row.settled_at) == (owner, None, NOW)


def test_a_refusal_before_the_arm_settles_a_claim(sending: Sending) -> None:
    claim = sending.claim_one()
    assert sending.settle(claim, Outcome(FAILED, 550, "5.1.1 no such mailbox")) == 1
    assert sending.state_of(claim) is FAILED


def test_a_late_answer_settles_what_had_become_unknown(sending: Sending) -> None:
    claim = sending.in_state(SENDING)
    assert sending.reap() == (0, 1)
    assert sending.settle(claim) == 1
    assert sending.states == {ACCEPTED: 1, PENDING: 2}


def test_a_late_answer_after_the_evidence_changes_nothing(sending: Sending) -> None:
    claim = sending.in_state(UNKNOWN)
    assert sending.reconcile(absent_are_pending=True) == (0, 1)
    assert sending.settle(claim) == 0
    assert sending.state_of(claim) is PENDING


@pytest.mark.parametrize("state", [PENDING, ACCEPTED, FAILED, CANCELLED])
def test_what_is_settled_or_given_back_stays_as_it_is(sending: Sending, state: DeliveryState) -> None:
    claim = sending.in_state(state)
    assert sending.settle(claim, Outcome(UNKNOWN)) == 0
    assert sending.state_of(claim) is state


def test_an_answer_with_an_older_fence_changes_nothing(sending: Sending) -> None:
    slept = sending.claim_one("w1")
    sending.reap()
    sending.claim("w2", now=LATER)
    assert sending.settle(slept) == 0
    assert sending.states == {CLAIMED: 3}


def test_many_are_settled_at_once_and_counted(sending: Sending) -> None:
    claims = sending.claim()
    sending.arm(*claims)
    sending.settle(claims[0])
    with writing(sending.engine) as session:
        assert settle_deliveries(session, [(claim, OK) for claim in claims], now=NOW) == 2
    assert sending.states == {ACCEPTED: 3}


def test_a_server_that_answers_with_anything_is_quoted_as_far_as_it_can_be(sending: Sending) -> None:
    claim = sending.in_state(SENDING)
    sending.settle(claim, Outcome(FAILED, 550, "5.7.1 \x00spam\ud800 " + "x" * 900))
    with reading(sending.engine) as session:
        row = find_delivery(session, sending.issue.id, claim.subscriber_id)
        assert row is not None
        assert row.smtp_text is not None
        assert row.smtp_text.startswith("5.7.1 �spam� xxx")
        assert len(row.smtp_text) == 500


# --- the reaper


def test_the_reaper_frees_what_was_claimed_and_doubts_what_was_armed(sending: Sending) -> None:
    claims = sending.claim()
    sending.arm(claims[0])
    assert sending.reap(now=NOW + LEASE) == (0, 0)
    assert sending.reap() == (2, 1)
    assert sending.reap() == (0, 0)
    assert sending.states == {PENDING: 2, UNKNOWN: 1}


def test_the_reaper_does_not_wait_for_a_worker_that_is_stopped_in_a_transaction(sending: Sending) -> None:
    if sending.engine.dialect.name == "sqlite":
        return  # one lock for everything: whoever writes waits, there is nothing to pass by
    claims = sending.claim()
    with writing(sending.engine) as stopped:
        settle_deliveries(stopped, [(claims[0], OK)], now=NOW)
        assert sending.reap() == (2, 0)
    assert sending.states == {PENDING: 2, ACCEPTED: 1}


def test_what_is_unknown_is_never_claimed_again_unasked(sending: Sending) -> None:
    doubtful = sending.in_state(UNKNOWN)
    assert doubtful.id not in {claim.id for claim in sending.claim("w2", now=LATER)}
