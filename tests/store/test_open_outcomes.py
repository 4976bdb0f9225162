"""What is unknown is settled by evidence, and by nothing else."""

from digest.domain.issues import IssueState
from digest.store.database import writing
from digest.store.deliveries import (
    cancel_for_issue,
)
from tests.store.sending import ACCEPTED, CANCELLED, LATER, OK, PENDING, SENDING, UNKNOWN, Sending
from tests.stored import change


def test_positive_evidence_accepts_and_leaves_the_rest_unknown(sending: Sending) -> None:
    claims = sending.claim()
    sending.arm(*claims)
    sending.reap()
    assert sending.reconcile(claims[1]) == (1, 0)
    assert sending.states == {ACCEPTED: 1, UNKNOWN: 2}


def test_complete_evidence_settles_every_unknown(sending: Sending) -> None:
    claims = sending.claim()
    sending.arm(*claims)
    sending.reap()
    assert sending.reconcile(claims[1], absent_are_pending=True) == (1, 2)
    again = sending.claim("w2", now=LATER)
    assert {claim.message_id for claim in again} == {claims[0].message_id, claims[2].message_id}
    assert all(claim.fence == 3 for claim in again)


def test_evidence_touches_only_what_is_unknown(sending: Sending) -> None:
    armed = sending.in_state(SENDING)
    assert sending.reconcile(armed, absent_are_pending=True) == (0, 0)
    assert sending.states == {SENDING: 1, PENDING: 2}


def test_evidence_does_not_revive_a_cancelled_issue(sending: Sending) -> None:
    sending.in_state(UNKNOWN)
    change(sending.engine, sending.issue, IssueState.CANCELLED)
    with writing(sending.engine) as session:
        cancel_for_issue(session, sending.issue.id)
    assert sending.reconcile(absent_are_pending=True) == (0, 0)
    assert sending.states == {CANCELLED: 3}


def test_an_issue_that_was_closed_with_doubts_can_go_on_after_evidence(sending: Sending) -> None:
    doubtful = sending.in_state(UNKNOWN)
    for claim in sending.claim():
        sending.settle(claim, OK)
    change(sending.engine, sending.issue, IssueState.SENT)
    assert sending.reconcile(absent_are_pending=True) == (0, 1)
    change(sending.engine, sending.issue, IssueState.SENDING)
    (again,) = sending.claim("w2", now=LATER)
    assert (again.message_id, again.fence) == (doubtful.message_id, 3)
