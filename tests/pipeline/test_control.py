"""Pausing, going on, ending, sending again: at any moment, and nobody gets an issue twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.address.explain import explain
from digest.domain.deliveries import DeliveryState
from digest.domain.errors import Conflict, NotFound
from digest.domain.issues import Issue, IssueState
from digest.domain.subscribers import SkipReason
from digest.domain.suppressions import SuppressionReason
from digest.pipeline import control
from digest.pipeline.letters import post_letters
from digest.pipeline.sending import open_issues
from digest.store import resending
from digest.store.claims import arm_deliveries, return_claims
from digest.store.database import reading, writing
from digest.store.pauses import find_pause
from digest.store.remakes import cancelled_before
from digest.store.resending import LeftOut, list_unknown, resend_some
from digest.store.suppressions import is_suppressed, suppress
from digest.track.steps import unsubscribe
from tests.pipeline.controlled import ACCEPTED, GONE, OWNER, REFUSED, UNANSWERED, Controlled
from tests.stored import approved_issue

FAILED, UNKNOWN = (DeliveryState.FAILED,), (DeliveryState.UNKNOWN,)


@pytest.fixture
def sending(engine: Engine, tmp_path: Path) -> Iterator[Controlled]:
    """An issue that is approved."""
    found = Controlled.stored(engine, tmp_path)
    yield found
    found.engine.dispose()


def armed(sending: Controlled) -> int:
    """Return how many of the deliveries that can be claimed now can be armed."""
    claims = sending.claim()
    with writing(sending.engine) as session:
        count = len(arm_deliveries(session, claims, owner=OWNER, now=sending.clock()))
    with writing(sending.engine) as session:
        return_claims(session, claims, owner=OWNER)
    return count


def test_an_approved_issue_waits_and_is_approved_again_by_the_same_person(sending: Controlled) -> None:
    before = sending.now
    paused = control.pause(sending.runtime, sending.issue.id, by="Ada", why="wrong date")
    assert (paused.state, paused.note) == (IssueState.PAUSED, "paused by Ada: wrong date")
    with pytest.raises(Conflict):
        sending.address()
    assert open_issues(sending.runtime) == ()
    assert control.resume(sending.runtime, sending.issue.id, by="Ben") == before
    assert sending.address().deliveries == 4


def test_a_paused_send_arms_nothing_and_goes_on_where_it_was(sending: Controlled) -> None:
    sending.address()
    before = sending.now
    sending.settle(ACCEPTED)
    held = sending.claim(1)
    control.pause(sending.runtime, sending.issue.id, by="Ada")
    with writing(sending.engine) as session:
        assert not arm_deliveries(session, held, owner=OWNER, now=sending.clock())
    assert sending.claim() == ()
    with reading(sending.engine) as session:
        pause = find_pause(session, sending.issue.id)
    assert pause is not None
    assert pause.in_words == "paused by Ada"
    with pytest.raises(Conflict, match="is paused"):
        control.pause(sending.runtime, sending.issue.id, by="Ben")
    assert control.resume(sending.runtime, sending.issue.id, by="Ben") == before
    with pytest.raises(Conflict, match="not paused"):
        control.resume(sending.runtime, sending.issue.id, by="Ben")
    with writing(sending.engine) as session:
        assert len(arm_deliveries(session, held, owner=OWNER, now=sending.clock())) == 1


def test_cancelling_strikes_off_what_waits_and_says_who_has_it(sending: Controlled) -> None:
    sending.address()
    sending.settle(ACCEPTED, UNANSWERED)
    done = control.cancel(sending.runtime, sending.issue.id, by="Ada", why="a mistake")
    assert (done.cancelled, done.reached, done.unknown) == (2, 1, 1)
    assert sending.now.note == "cancelled by Ada: a mistake"
    assert sending.states[DeliveryState.UNKNOWN] == 1, "nobody knows, and nobody may pretend to"
    with pytest.raises(Conflict, match="'digest issue again"):
        control.cancel(sending.runtime, sending.issue.id, by="Ada")


def test_what_a_cancelled_issue_left_behind_is_struck_off_by_the_next_sweep(sending: Controlled) -> None:
    sending.address()
    claims = sending.claim(1)
    control.cancel(sending.runtime, sending.issue.id, by="Ada")
    with writing(sending.engine) as session:
        session.connection().exec_driver_sql(
            f"UPDATE deliveries SET state = 'pending' WHERE id = {claims[0].id}"
        )
    assert open_issues(sending.runtime) == ()
    assert sending.states == {DeliveryState.CANCELLED: 4}


def test_a_cancelled_week_that_reached_nobody_is_made_again_for_all(sending: Controlled) -> None:
    control.cancel(sending.runtime, sending.issue.id, by="Ada")
    made = control.make_again(sending.runtime, sending.issue.id)
    assert (made.window, made.state) == (sending.issue.window, IssueState.DRAFT)
    again = approve(sending, made)
    assert sending.address(again).deliveries == 4
    with pytest.raises(Conflict, match=f"issue {again.id}, which is sending"):
        control.make_again(sending.runtime, sending.issue.id)
    with pytest.raises(Conflict, match="only the days of a cancelled issue"):
        control.make_again(sending.runtime, again.id)


def approve(sending: Controlled, draft: Issue) -> Issue:
    return approved_issue(sending.engine, sending.newsletter, window=draft.window)


def test_who_has_the_cancelled_issue_or_may_have_it_does_not_get_the_new_one(sending: Controlled) -> None:
    sending.address()
    reached = {claim.email for claim in sending.settle(ACCEPTED, UNANSWERED)}
    sending.settle(REFUSED)
    control.cancel(sending.runtime, sending.issue.id, by="Ada")
    again = approve(sending, control.make_again(sending.runtime, sending.issue.id))
    addressed = sending.address(again)
    assert (addressed.deliveries, addressed.skipped) == (2, {SkipReason.ALREADY_SENT: 2})
    for email in reached:
        told = explain(sending.engine, again.id, email)
        assert told.verdict.endswith("got the cancelled issue of the same days")
    with reading(sending.engine) as session:
        assert cancelled_before(session, again) == (sending.issue.id,)


def test_what_failed_is_sent_once_more_and_nothing_else(sending: Controlled) -> None:
    sending.address()
    accepted, refused, gone, left = sending.settle(ACCEPTED, REFUSED, GONE, REFUSED)
    unsubscribe(sending.engine, sending.newsletter.id, left.subscriber_id, now=sending.clock())
    open_issues(sending.runtime)
    assert sending.now.state is IssueState.SENT
    found = control.resendable(sending.runtime, sending.issue.id, FAILED)
    assert (found.failed, found.unknown) == (1, 0)
    assert found.left_out == {LeftOut.GONE: 1, LeftOut.LEFT: 1}
    assert control.resend(sending.runtime, sending.issue.id, FAILED, by="Ada") == 1
    assert sending.now.state is IssueState.SENDING
    (again,) = sending.claim()
    assert (again.id, again.message_id, again.attempts) == (refused.id, refused.message_id, 0)
    assert again.fence > refused.fence + 1, "a late answer to the first try must change nothing"
    assert control.resend(sending.runtime, sending.issue.id, FAILED, by="Ada") == 0
    assert accepted.id not in {again.id, gone.id}


def test_what_fails_again_while_it_is_sent_once_more_is_left_at_that(
    sending: Controlled, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending.address()
    sending.settle(REFUSED, REFUSED, REFUSED, ACCEPTED)
    pages = []

    def kept(*args: object, **kwargs: object) -> object:
        pages.append(resend_some(*args, **kwargs))  # type: ignore[arg-type]
        assert len(pages) < 9, "it never ends"
        return pages[-1]

    lock_issue = control.lock_issue

    def after_a_worker(session: Session, issue_id: int) -> Issue:
        if pages:
            sending.settle(*[REFUSED] * len(pages[-1]))
        return lock_issue(session, issue_id)

    monkeypatch.setattr(resending, "PAGE", 2)
    monkeypatch.setattr(control, "resend_some", kept)
    monkeypatch.setattr(control, "lock_issue", after_a_worker)
    assert control.resend(sending.runtime, sending.issue.id, FAILED, by="Ada") == 3


def test_a_suppressed_address_is_not_sent_to_again(sending: Controlled) -> None:
    sending.address()
    (refused,) = sending.settle(REFUSED)
    with writing(sending.engine) as session:
        suppress(session, refused.email, reason=SuppressionReason.BY_HAND, detail="", now=sending.clock())
        assert is_suppressed(session, refused.email)
    found = control.resendable(sending.runtime, sending.issue.id, FAILED)
    assert found.left_out == {LeftOut.SUPPRESSED: 1}
    assert control.resend(sending.runtime, sending.issue.id, FAILED, by="Ada") == 0


def test_the_unknown_are_listed_with_evidence_and_sent_again_one_by_one(sending: Controlled) -> None:
    sending.address()
    (unanswered,) = sending.settle(UNANSWERED)
    orphan = sending.arm_and_die()
    with reading(sending.engine) as session:
        first, second = list_unknown(session, sending.issue.id, limit=9)
        assert list_unknown(session, sending.issue.id, limit=9, after=first.id) == (second,)
    assert (first.email, first.message_id, first.worker) == (unanswered.email, unanswered.message_id, OWNER)
    assert (first.said, first.since) == ("the connection broke", sending.clock())
    assert (second.email, second.worker, second.said, second.since) == (orphan.email, OWNER, "", None)
    assert first.armed_at == second.armed_at == sending.clock()
    emails = (orphan.email,)
    assert control.resendable(sending.runtime, sending.issue.id, UNKNOWN, emails=emails).unknown == 1
    assert control.resend(sending.runtime, sending.issue.id, UNKNOWN, emails=emails, by="Ada") == 1
    assert sending.states[DeliveryState.UNKNOWN] == 1
    with pytest.raises(NotFound):
        control.resendable(sending.runtime, sending.issue.id, UNKNOWN, emails=["nobody@example.org"])


@pytest.mark.parametrize("state", [IssueState.APPROVED, IssueState.CANCELLED])
def test_what_was_not_sent_or_is_over_is_not_sent_again(sending: Controlled, state: IssueState) -> None:
    if state is IssueState.CANCELLED:
        control.cancel(sending.runtime, sending.issue.id, by="Ada")
    with pytest.raises(Conflict, match=f"is {state}, so nothing of it"):
        control.resend(sending.runtime, sending.issue.id, FAILED, by="Ada")


def test_a_hold_stops_every_issue_and_is_let_go_by_a_person(sending: Controlled) -> None:
    sending.address()
    held = sending.claim(1)
    control.hold(sending.runtime, by="Ada", why="the server moves")
    assert open_issues(sending.runtime) == ()
    assert sending.claim() == ()
    with writing(sending.engine) as session:
        assert not arm_deliveries(session, held, owner=OWNER, now=sending.clock())
    with pytest.raises(Conflict, match="held already"):
        control.hold(sending.runtime, by="Ben")
    with pytest.raises(Conflict, match="held by Ada"):
        post_letters(sending.runtime)
    (ended,) = control.let_go(sending.runtime, by="Ben")
    assert ended.in_words == "held by Ada: the server moves"
    assert armed(sending) == 3
    with pytest.raises(NotFound, match="nothing is held"):
        control.let_go(sending.runtime, by="Ben")
