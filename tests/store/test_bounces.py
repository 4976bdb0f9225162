"""Three issues in a row that did not arrive pause a subscription; one that did begins the count anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from digest.domain.deliveries import Claim, DeliveryId, DeliveryState, Outcome
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.bounces import (
    record_refusals,
)
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.subscribers import set_subscription_state
from digest.store.suppressions import find_suppression
from tests.readership import Readership
from tests.stored import CLIMATE, NOW, states, stored_newsletter, stored_reader


@pytest.fixture
def ada(engine: Engine) -> Readership:
    return Readership(engine)


def test_the_third_issue_in_a_row_pauses_and_cancels_what_waits(ada: Readership) -> None:
    first, second, third = ada.sent(), ada.sent(), ada.sent()
    waiting = ada.address()
    assert [ada.soft(first), ada.soft(first), ada.soft(second)] == [False, None, False]
    assert ada.state is SubscriptionState.ACTIVE
    assert ada.soft(third) is True
    assert ada.state is SubscriptionState.PAUSED
    assert states(ada.engine, waiting) == {DeliveryState.CANCELLED: 1}
    assert ada.in_a_row == 3


def test_reports_may_come_late_and_in_any_order(ada: Readership) -> None:
    first, second, third, _ = [ada.sent() for _ in range(4)]
    assert [ada.soft(third), ada.soft(first), ada.soft(second)] == [False, False, True]
    assert ada.state is SubscriptionState.PAUSED


def test_an_issue_that_arrived_begins_the_count_anew(ada: Readership) -> None:
    first, second, _, fourth, fifth = [ada.sent() for _ in range(5)]
    assert not any([ada.soft(first), ada.soft(second), ada.soft(fourth), ada.soft(fifth)])
    assert ada.state is SubscriptionState.ACTIVE
    assert ada.in_a_row == 2
    ada.sent()
    assert ada.in_a_row == 0


def test_who_came_back_begins_anew(ada: Readership) -> None:
    deliveries = [ada.sent() for _ in range(3)]
    for one in deliveries:
        ada.soft(one)
    with writing(ada.engine) as session:
        set_subscription_state(
            session, ada.newsletter.id, ada.reader, SubscriptionState.ACTIVE, now=ada.now + timedelta(days=1)
        )
    assert [ada.soft(ada.sent()), ada.soft(ada.sent())] == [False, False]
    assert ada.state is SubscriptionState.ACTIVE
    assert ada.soft(ada.sent()) is True


def test_what_a_server_says_in_the_conversation_counts_alike(ada: Readership) -> None:
    full = Outcome(DeliveryState.FAILED, 452, "given up after 3 days of trying: 4.2.2 full")
    ours = Outcome(DeliveryState.FAILED, 550, "given up after 3 days of trying: 5.7.1 no")
    for outcome in (full, ours, full):
        ada.settle(ada.address(), outcome)
    assert ada.state is SubscriptionState.ACTIVE
    ada.settle(ada.address(), full)
    assert ada.state is SubscriptionState.PAUSED


def test_a_hard_bounce_tells_its_issue(ada: Readership) -> None:
    issue = ada.address()
    ada.settle(issue, Outcome(DeliveryState.FAILED, 550, "5.1.1 no such user"))
    with reading(ada.engine) as session:
        found = find_suppression(session, "Ada@example.org")
    assert found
    assert (found.reason, found.issue_id, found.detail) == ("hard_bounce", issue.id, "5.1.1 no such user")


def test_what_never_went_out_counts_nothing(ada: Readership) -> None:
    issue = ada.address()
    with reading(ada.engine) as session:
        delivery = DeliveryId(session.scalars(select(DeliveryRow.id)).one())
    assert ada.soft(delivery) is None
    assert ada.soft(DeliveryId(delivery + 1)) is None
    assert states(ada.engine, issue) == {DeliveryState.PENDING: 1}


def test_workers_that_meet_the_same_gone_address_do_not_stop_each_other(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    stored_reader(engine, newsletter, "ada@example.org", CLIMATE)
    gone = Outcome(DeliveryState.FAILED, 550, "5.1.1 gone")
    claim = Claim(DeliveryId(1), 1, "ada@example.org", "<1@x>", "", SubscriberId(1), 0, datetime.now(UTC))
    for _ in range(2):
        with writing(engine) as session:
            record_refusals(session, [(claim, gone), (claim, gone)], now=NOW)
    with reading(engine) as session:
        assert find_suppression(session, "ada@example.org")
