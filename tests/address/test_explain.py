from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from digest.address.explain import explain
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import Conflict, NotFound
from digest.domain.subscribers import SkipReason, SubscriptionState
from digest.domain.times import by_the_clock
from digest.store.claims import claim_deliveries, settle_deliveries
from digest.store.database import writing
from digest.store.deliveries import DeliveryRow, cancel_for_issue
from digest.store.issues import ensure_issue
from digest.store.subscribers import set_follows
from tests.address.audience import Audience
from tests.stored import CITIES, CLIMATE, FOOD, NOW, WINDOW

BY_STATE = (SkipReason.NO_TOPICS, SkipReason.NOTHING_FOLLOWED, SkipReason.SUPPRESSED, SkipReason.PAUSED)
"""The others depend on what readers were sent before: see `test_history`."""


def test_an_approved_issue_says_who_will_get_what(audience: Audience) -> None:
    audience.add("anna", CLIMATE)
    why = explain(audience.engine, audience.issue.id, "Anna@example.org")
    assert (why.email, why.verdict, why.delivery) == ("anna@example.org", "will get this issue", None)
    assert why.follows == (CLIMATE,)
    assert [(item.is_shown, item.reason) for item in why.items] == [
        (True, "follows Climate"),
        (True, "follows Climate"),
        (False, "is about Space, which they do not follow"),
        (False, "is about Cities, which they do not follow"),
    ]


@pytest.mark.parametrize("is_addressed", [False, True])
@pytest.mark.parametrize("reason", list(BY_STATE))
def test_who_gets_nothing_is_told_why(audience: Audience, reason: SkipReason, is_addressed: bool) -> None:
    follows = {SkipReason.NO_TOPICS: (), SkipReason.NOTHING_FOLLOWED: (FOOD,)}.get(reason, (CLIMATE,))
    who = audience.add("anna", *follows)
    if reason is SkipReason.PAUSED:
        audience.set(who, SubscriptionState.PAUSED)
    if reason is SkipReason.SUPPRESSED:
        audience.suppress("anna@example.org")
    if is_addressed:
        audience.address()
    why = explain(audience.engine, audience.issue.id, "anna@example.org")
    begins = "was sent nothing" if is_addressed else "will get nothing"
    assert why.verdict == f"{begins} of this issue: {reason.in_words}"
    assert not any(item.is_shown for item in why.items)
    if CLIMATE in follows:
        assert why.items[0].reason == f"follows Climate, but {reason.in_words}"


def test_once_addressed_what_was_decided_then_counts(audience: Audience) -> None:
    who = audience.add("anna", CLIMATE)
    skipped = audience.add("ben", FOOD)
    audience.address()
    with writing(audience.engine) as session:
        set_follows(session, audience.newsletter.id, who, [CITIES])
        set_follows(session, audience.newsletter.id, skipped, [CITIES])
    anna = explain(audience.engine, audience.issue.id, "anna@example.org")
    assert anna.delivery is DeliveryState.PENDING
    assert [item.is_shown for item in anna.items] == [True, True, False, False]
    ben = explain(audience.engine, audience.issue.id, "ben@example.org")
    assert ben.verdict == "was sent nothing of this issue: no article in the topics they follow"
    assert not any(item.is_shown for item in ben.items)
    assert ben.items[3].reason == "follows Cities, but only since the audience was fixed"


def test_who_came_later_or_left_is_told_so(audience: Audience) -> None:
    audience.set(audience.add("left", CLIMATE), SubscriptionState.UNSUBSCRIBED)
    left = explain(audience.engine, audience.issue.id, "left@example.org")
    assert left.verdict == "gets nothing of this issue: subscription is unsubscribed"
    audience.address()
    audience.add("late", CLIMATE)
    late = explain(audience.engine, audience.issue.id, "late@example.org")
    assert late.verdict == "gets nothing of this issue: subscribed after its audience was fixed"
    assert not any(item.is_shown for item in (*left.items, *late.items))


@pytest.mark.parametrize(
    ("state", "verdict", "is_shown"),
    [
        (DeliveryState.PENDING, "gets this issue: waiting to be sent", True),
        (DeliveryState.CLAIMED, "gets this issue: being sent now", True),
        (DeliveryState.ACCEPTED, "got this issue: the mail server accepted it", True),
        (DeliveryState.UNKNOWN, "may have got this issue", True),
        (DeliveryState.FAILED, "did not get this issue: the mail server refused it: 550 5.7.1 no", False),
        (DeliveryState.CANCELLED, "does not get this issue: cancelled before it was sent", False),
    ],
)
def test_a_delivery_says_how_it_stands(
    audience: Audience, state: DeliveryState, verdict: str, is_shown: bool
) -> None:
    audience.add("anna", CLIMATE)
    audience.address()
    with writing(audience.engine) as session:
        if state is DeliveryState.CANCELLED:
            cancel_for_issue(session, audience.issue.id)
        elif state is not DeliveryState.PENDING:
            lease = NOW + timedelta(minutes=5)
            (claim,) = claim_deliveries(
                session, audience.issue.id, owner="w", limit=1, now=NOW, lease_until=lease
            )
            if state is not DeliveryState.CLAIMED:
                answer = Outcome(state, 550, "5.7.1 no.") if state is DeliveryState.FAILED else Outcome(state)
                settle_deliveries(session, [(claim, answer)], now=NOW)
    why = explain(audience.engine, audience.issue.id, "anna@example.org")
    assert why.verdict.startswith(verdict)
    assert why.delivery is state
    assert why.items[0].is_shown is is_shown


def test_who_waits_is_told_since_what_answer_and_until_when(audience: Audience) -> None:
    audience.add("anna", CLIMATE)
    audience.address()
    lease = NOW + timedelta(minutes=5)
    deferred = Outcome(DeliveryState.PENDING, 451, "4.2.1 later", retry_in=timedelta(minutes=10))
    with writing(audience.engine) as session:
        (claim,) = claim_deliveries(
            session, audience.issue.id, owner="w", limit=1, now=NOW, lease_until=lease
        )
        settle_deliveries(session, [(claim, deferred)], now=NOW)
    why = explain(audience.engine, audience.issue.id, "anna@example.org")
    then = by_the_clock(NOW + timedelta(minutes=10), ZoneInfo(audience.newsletter.timezone))
    assert why.verdict == f"gets this issue: put off by '451 4.2.1 later', tried again at {then}"


def test_a_mail_put_off_untried_waits_for_no_hour_of_its_readers(audience: Audience) -> None:
    audience.add("anna", CLIMATE)
    audience.address()
    with writing(audience.engine) as session:
        session.execute(update(DeliveryRow).values(next_at=NOW + timedelta(minutes=30), fence=1))
    why = explain(audience.engine, audience.issue.id, "anna@example.org")
    assert why.not_before is None
    assert why.verdict.startswith("gets this issue: waiting to be sent, not before ")


def test_a_stranger_or_a_draft_cannot_be_explained(audience: Audience) -> None:
    with pytest.raises(NotFound, match="'nobody@example\\.org' is not a subscriber"):
        explain(audience.engine, audience.issue.id, "nobody@example.org")
    audience.add("anna", CLIMATE)
    with writing(audience.engine) as session:
        other = ensure_issue(
            session, audience.newsletter.id, type(WINDOW)(WINDOW.end, WINDOW.end + timedelta(days=1)), now=NOW
        )
    with pytest.raises(Conflict, match="digest issue approve"):
        explain(audience.engine, other.id, "anna@example.org")
