"""The state machine of `digest/domain/deliveries.py`, on both databases."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, event, text, update

from digest.domain.deliveries import Claim, DeliveryState, Outcome
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import SubscriberId, SubscriptionState, email_key
from digest.store.audiences import add_editions
from digest.store.claims import (
    arm_deliveries,
    claim_deliveries,
    reap_leases,
    return_claims,
    settle_deliveries,
)
from digest.store.database import open_engine, reading, writing
from digest.store.deliveries import (
    DeliveryRow,
    NewDelivery,
    add_deliveries,
    cancel_for_issue,
    cancel_for_subscriber,
    count_deliveries,
    edition_key_of,
    find_delivery,
    is_unfinished,
)
from digest.store.open_outcomes import (
    settle_unknown,
)
from digest.store.schema import migrate
from digest.store.subscribers import set_subscription_state, suppress
from tests.stored import CLIMATE, NOW, approved_issue, change, states, stored_newsletter, stored_reader

PENDING, CLAIMED, SENDING = DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.SENDING
ACCEPTED, FAILED, UNKNOWN = DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNKNOWN
CANCELLED = DeliveryState.CANCELLED

LEASE = timedelta(minutes=5)
LATER = NOW + LEASE + timedelta(seconds=1)
"""After every lease has run out."""

OK = Outcome(ACCEPTED, 250, "2.0.0 queued")


class Sending:
    """An issue under way to a few readers, and the questions a worker asks."""

    def __init__(self, engine: Engine, readers: int) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)
        self.issue: Issue = approved_issue(engine, self.newsletter)
        self.readers = [
            stored_reader(engine, self.newsletter, f"r{number}@example.org", CLIMATE)
            for number in range(readers)
        ]
        self.address(self.issue)

    def address(self, issue: Issue) -> None:
        with writing(self.engine) as session:
            (edition,) = add_editions(session, issue.id, ["climate:0"], after=0).values()
            emails = [(who, f"r{number}@example.org") for number, who in enumerate(self.readers)]
            new = [
                NewDelivery(who, email, email_key(email), f"<{issue.id}.{who}@news.example.org>", edition)
                for who, email in emails
            ]
            add_deliveries(session, issue.id, new, now=NOW)
        change(self.engine, issue, IssueState.SENDING)

    def claim(
        self, owner: str = "w1", *, limit: int = 100, now: datetime = NOW, issue: Issue | None = None
    ) -> tuple[Claim, ...]:
        with writing(self.engine) as session:
            return claim_deliveries(
                session,
                (issue or self.issue).id,
                owner=owner,
                limit=limit,
                now=now,
                lease_until=now + LEASE,
            )

    def claim_one(self, owner: str = "w1", *, now: datetime = NOW) -> Claim:
        (claim,) = self.claim(owner, limit=1, now=now)
        return claim

    def arm(self, *claims: Claim, owner: str = "w1") -> set[int]:
        with writing(self.engine) as session:
            return set(arm_deliveries(session, claims, owner=owner, now=NOW))

    def settle(self, claim: Claim, outcome: Outcome = OK, *, now: datetime = NOW) -> int:
        with writing(self.engine) as session:
            return settle_deliveries(session, [(claim, outcome)], now=now)

    def give_back(self, *claims: Claim, owner: str = "w1") -> None:
        with writing(self.engine) as session:
            return_claims(session, claims, owner=owner)

    def reap(self, *, now: datetime = LATER) -> tuple[int, int]:
        with writing(self.engine) as session:
            return reap_leases(session, now=now)

    def reconcile(self, *accepted: Claim, absent_are_pending: bool = False) -> tuple[int, int]:
        taken = {claim.message_id for claim in accepted}
        with writing(self.engine) as session:
            return settle_unknown(
                session,
                self.issue.id,
                accepted=taken,
                absent_are_pending=absent_are_pending,
                now=LATER,
            )

    def unsubscribe(self, who: SubscriberId) -> int:
        with writing(self.engine) as session:
            set_subscription_state(session, self.newsletter.id, who, SubscriptionState.UNSUBSCRIBED, now=NOW)
            return cancel_for_subscriber(session, self.newsletter.id, who)

    @property
    def states(self) -> dict[DeliveryState, int]:
        return states(self.engine, self.issue)

    def in_state(self, state: DeliveryState) -> Claim:
        """Bring the next pending delivery into `state`; return the claim that did."""
        claim = self.claim_one()
        if state is PENDING:
            self.give_back(claim)
        if state in (SENDING, UNKNOWN, ACCEPTED, FAILED):
            assert self.arm(claim) == {claim.id}
        if state in (ACCEPTED, FAILED, UNKNOWN):
            self.settle(claim, Outcome(state, 250, "said so"))
        if state is CANCELLED:
            self.unsubscribe(claim.subscriber_id)
        assert self.state_of(claim) is state
        return claim

    def state_of(self, claim: Claim) -> DeliveryState:
        with reading(self.engine) as session:
            row = find_delivery(session, self.issue.id, claim.subscriber_id)
            assert row is not None
            return DeliveryState(row.state)


@pytest.fixture
def sending(engine: Engine) -> Sending:
    return Sending(engine, readers=3)


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
        assert arm_deliveries(session, [claim], owner="w1", now=NOW) == {claim.id}
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


# --- unknown → accepted, pending: evidence


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


def test_to_cancel_an_issue_waits_for_no_worker_that_gives_back_what_it_holds(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    migrate(engine)
    sending = Sending(engine, readers=3)
    first, *_ = sending.claim()
    change(engine, sending.issue, IssueState.CANCELLED)
    # Each in its own order, they would wait for each other.
    with writing(engine) as worker, writing(engine) as session:
        return_claims(worker, [first], owner="w1")
        assert cancel_for_issue(session, sending.issue.id) == 2
    assert states(engine, sending.issue) == {CANCELLED: 3}
    engine.dispose()
