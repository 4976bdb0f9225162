"""A delivery is claimed by one worker, armed by whoever holds it, and given back."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, event, text, update

from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.issues import IssueState
from digest.domain.subscribers import SubscriptionState
from digest.store.claims import (
    arm_deliveries,
    claim_deliveries,
    reap_leases,
)
from digest.store.database import writing
from digest.store.deliveries import (
    DeliveryRow,
)
from digest.store.subscribers import set_subscription_state
from digest.store.suppressions import suppress
from tests.store.sending import (
    ACCEPTED,
    CANCELLED,
    CLAIMED,
    FAILED,
    LATER,
    LEASE,
    PENDING,
    SENDING,
    UNKNOWN,
    Sending,
)
from tests.stored import NOW, change

# --- pending → claimed


def test_a_claim_carries_all_that_sending_needs(sending: Sending) -> None:
    claim = sending.claim_one()
    assert (claim.fence, claim.attempts, claim.edition, claim.addressed_at) == (1, 0, "climate:0", NOW)
    assert claim.email.endswith("@example.org")
    assert claim.subscriber_id in sending.readers
    assert sending.states == {CLAIMED: 1, PENDING: 2}


def test_a_delivery_is_claimed_by_one(sending: Sending) -> None:
    assert len(sending.claim("w1")) == 3
    assert sending.claim("w2") == ()


def test_nothing_is_claimed_before_its_time(sending: Sending) -> None:
    sending.settle(sending.claim_one(), Outcome(PENDING, 451, "4.7.1 later", timedelta(minutes=2)))
    assert len(sending.claim(now=NOW + timedelta(minutes=1))) == 2
    assert len(sending.claim(now=NOW + timedelta(minutes=2))) == 1


@pytest.mark.parametrize("state", [IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED])
def test_nothing_is_claimed_of_an_issue_that_is_not_being_sent(sending: Sending, state: IssueState) -> None:
    change(sending.engine, sending.issue, state)
    assert sending.claim() == ()


def test_claims_of_workers_at_once_never_overlap_and_miss_nothing(engine: Engine) -> None:
    sending = Sending(engine, readers=120)
    together = threading.Barrier(6)

    def work(number: int) -> list[tuple[int, int]]:
        together.wait()
        held = []
        while claims := sending.claim(f"w{number}", limit=7):
            assert len(claims) <= 7
            held += [(claim.id, claim.fence) for claim in claims]
        return held

    with ThreadPoolExecutor(6) as pool:
        taken = [claim for held in pool.map(work, range(6)) for claim in held]
    assert Counter(fence for _, fence in taken) == {1: 120}
    assert len(set(taken)) == 120


# --- claimed → sending: the arm


def test_an_arm_of_a_held_claim_lets_the_dot_leave(sending: Sending) -> None:
    claims = sending.claim()
    assert sending.arm(*claims) == {claim.id for claim in claims}
    assert sending.states == {SENDING: 3}


def test_an_arm_asked_twice_gives_the_same_answer(sending: Sending) -> None:
    """The commit may have gone through though its answer was lost."""
    claim = sending.claim_one()
    assert sending.arm(claim) == sending.arm(claim) == {claim.id}


def test_no_claims_arm_nothing_and_return_nothing(sending: Sending) -> None:
    sending.claim()
    assert sending.arm() == set()
    sending.give_back()
    assert sending.states == {CLAIMED: 3}


def test_an_arm_with_an_older_fence_is_refused(sending: Sending) -> None:
    slept = sending.claim_one("w1")
    sending.reap()
    woke = {claim.id: claim for claim in sending.claim("w1", now=LATER)}[slept.id]
    assert (slept.fence, woke.fence) == (1, 2)
    assert sending.arm(slept) == set()
    assert sending.arm(woke) == {woke.id}


def test_an_arm_by_another_owner_is_refused(sending: Sending) -> None:
    claim = sending.claim_one("w1")
    assert sending.arm(claim, owner="w2") == set()


def test_an_arm_after_the_lease_was_taken_back_is_refused(sending: Sending) -> None:
    claim = sending.claim_one()
    assert sending.reap() == (1, 0)
    assert sending.arm(claim) == set()


@pytest.mark.parametrize("state", [IssueState.PAUSED, IssueState.CANCELLED])
def test_an_arm_after_the_issue_was_stopped_is_refused(sending: Sending, state: IssueState) -> None:
    claim = sending.claim_one()
    change(sending.engine, sending.issue, state)
    assert sending.arm(claim) == set()
    assert sending.state_of(claim) is CLAIMED


def test_a_paused_issue_goes_on_where_it_stopped(sending: Sending) -> None:
    claim = sending.claim_one()
    change(sending.engine, sending.issue, IssueState.PAUSED)
    sending.give_back(claim)
    change(sending.engine, sending.issue, IssueState.SENDING)
    assert sending.arm(*sending.claim()) == {claim.id, claim.id + 1, claim.id + 2}


def test_an_arm_after_an_unsubscription_is_refused(sending: Sending) -> None:
    claim = sending.claim_one()
    assert sending.unsubscribe(claim.subscriber_id) == 1
    assert sending.arm(claim) == set()
    assert sending.state_of(claim) is CANCELLED


@pytest.mark.parametrize("state", [SubscriptionState.PAUSED, SubscriptionState.UNSUBSCRIBED])
def test_an_arm_looks_at_the_subscription_itself(sending: Sending, state: SubscriptionState) -> None:
    """Somebody who left between the audience's snapshot and its commit has no row that could be cancelled."""
    claim = sending.claim_one()
    with writing(sending.engine) as session:
        set_subscription_state(session, sending.newsletter.id, claim.subscriber_id, state, now=NOW)
    assert sending.arm(claim) == set()


def test_an_arm_for_a_suppressed_address_is_refused_whatever_its_case(sending: Sending) -> None:
    claim = sending.claim_one()
    with writing(sending.engine) as session:
        suppress(session, claim.email.upper(), reason="bounce", detail="", now=NOW)
    assert sending.arm(claim) == set()


def test_of_several_arms_only_the_forbidden_are_refused(sending: Sending) -> None:
    left, stays, late = sending.claim()
    sending.unsubscribe(left.subscriber_id)
    with writing(sending.engine) as session:
        session.execute(update(DeliveryRow).where(DeliveryRow.id == late.id).values(fence=9))
    assert sending.arm(left, stays, late) == {stays.id}


@pytest.mark.parametrize("state", [PENDING, ACCEPTED, FAILED, UNKNOWN, CANCELLED])
def test_only_what_is_claimed_or_armed_can_be_armed(sending: Sending, state: DeliveryState) -> None:
    claim = sending.in_state(state)
    assert sending.arm(claim) == set()
    assert sending.state_of(claim) is state


def test_no_arm_is_committed_after_an_unsubscription_that_ran_beside_it(sending: Sending) -> None:
    """Either the arm comes first and the mail goes out, or it is refused: never armed and cancelled both."""
    for claim in sending.claim():
        together = threading.Barrier(2)

        def arm(claim: Claim = claim, together: threading.Barrier = together) -> bool:
            together.wait()
            return sending.arm(claim) == {claim.id}

        def leave(claim: Claim = claim, together: threading.Barrier = together) -> bool:
            together.wait()
            return sending.unsubscribe(claim.subscriber_id) == 1

        with ThreadPoolExecutor(2) as pool:
            armed, cancelled = pool.submit(arm), pool.submit(leave)
        assert armed.result() is not cancelled.result()
        assert sending.state_of(claim) is (SENDING if armed.result() else CANCELLED)


@contextmanager
def uncommitted_arm(sending: Sending, claim: Claim) -> Iterator[None]:
    with writing(sending.engine) as session:
        assert arm_deliveries(session, [claim], owner="w1", now=NOW) == {claim}
        yield


def test_an_unsubscription_waits_for_an_arm_that_is_being_committed(sending: Sending) -> None:
    claim = sending.claim_one()
    with ThreadPoolExecutor(1) as pool:
        with uncommitted_arm(sending, claim):
            left = pool.submit(sending.unsubscribe, claim.subscriber_id)
            with pytest.raises(TimeoutError):
                left.result(timeout=0.2)
        assert left.result() == 0
    assert sending.state_of(claim) is SENDING


# --- claimed → pending, cancelled: claims given back


def test_claims_given_back_are_pending_again(sending: Sending) -> None:
    sending.give_back(*sending.claim())
    assert sending.states == {PENDING: 3}
    assert [claim.fence for claim in sending.claim("w2")] == [2, 2, 2]


def test_claims_given_back_for_those_who_left_are_cancelled(sending: Sending) -> None:
    left, suppressed, stays = sending.claim()
    with writing(sending.engine) as session:
        set_subscription_state(
            session, sending.newsletter.id, left.subscriber_id, SubscriptionState.UNSUBSCRIBED, now=NOW
        )
        suppress(session, suppressed.email, reason="complaint", detail="", now=NOW)
    sending.give_back(left, suppressed, stays)
    assert sending.states == {CANCELLED: 2, PENDING: 1}


def test_claims_given_back_of_a_cancelled_issue_are_cancelled(sending: Sending) -> None:
    """A claim that races the cancelling may be taken just after it."""
    claims = sending.claim()
    change(sending.engine, sending.issue, IssueState.CANCELLED)
    sending.give_back(*claims)
    assert sending.states == {CANCELLED: 3}


def test_an_armed_delivery_cannot_be_given_back(sending: Sending) -> None:
    claim = sending.in_state(SENDING)
    sending.give_back(claim)
    assert sending.state_of(claim) is SENDING


def test_nobody_gives_back_what_another_has_claimed_since(sending: Sending) -> None:
    slept = sending.claim_one("w1")
    sending.reap()
    sending.claim("w2", now=LATER)
    sending.give_back(slept, owner="w1")
    assert sending.states == {CLAIMED: 3}


@contextmanager
def plans(engine: Engine) -> Iterator[list[str]]:
    """Collect how the database goes about the deliveries it is asked to change, or looks up to do so."""
    found: list[str] = []

    def explain(
        connection: Connection,
        cursor: object,
        statement: str,
        parameters: object,
        context: object,
        many: bool,
    ) -> None:
        is_ours = "UPDATE deliveries" in statement or "deliveries.lease_until <" in statement
        if is_ours and not statement.startswith("EXPLAIN"):
            query_plan = " QUERY PLAN" if engine.dialect.name == "sqlite" else ""
            rows = connection.exec_driver_sql(f"EXPLAIN{query_plan} {statement}", parameters)  # type: ignore[arg-type]
            found.append("\n".join(str(row) for row in rows))

    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def test_claiming_and_reaping_look_into_the_small_indexes(sending: Sending) -> None:
    """Beside a million settled deliveries, a claim that reads them all takes minutes an issue."""
    with writing(sending.engine) as session:
        if sending.engine.dialect.name == "postgresql":
            # Three rows are read faster without any index; what counts is that the index could be used.
            session.execute(text("SET LOCAL enable_seqscan = off"))
        with plans(sending.engine) as found:
            lease = NOW + LEASE
            claim_deliveries(session, sending.issue.id, owner="w", limit=9, now=NOW, lease_until=lease)
            reap_leases(session, now=LATER)
    claim, looked, _ = found
    assert "ix_deliveries_due" in claim
    assert "ix_deliveries_leased" in looked
