"""Calls to endpoints are signed as Standard Webhooks wants it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from digest.domain.endpoints import BACK_OFF, EventKind, new_signing_secret, parse_kinds, sign
from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueState
from digest.domain.subscribers import SubscriptionState


def test_a_signature_is_that_of_the_specification() -> None:
    """The values that libraries of Standard Webhooks are tested with."""
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1_614_265_330, UTC),
        '{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_new_each_time_and_signs() -> None:
    first, second = new_signing_secret(), new_signing_secret()
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert first != second
    assert sign(first, "msg_1", at, "{}") != sign(second, "msg_1", at, "{}")
    with pytest.raises(InvalidInput, match="whsec_"):
        sign("whsec_not base64", "msg_1", at, "{}")


def test_every_state_of_issues_and_subscriptions_is_an_event() -> None:
    kinds = {kind.value for kind in EventKind}
    assert {f"issue.{state}" for state in IssueState} <= kinds
    assert {f"subscriber.{state}" for state in SubscriptionState} <= kinds


def test_kinds_are_read_by_their_names() -> None:
    assert parse_kinds(["issue.sent", "issue.sent"]) == {EventKind.ISSUE_SENT}
    with pytest.raises(InvalidInput, match=r"issue\.draft"):
        parse_kinds([])
    with pytest.raises(InvalidInput, match=r"'issue\.read' is not"):
        parse_kinds(["issue.read"])


def test_a_call_is_tried_for_three_days_with_growing_pauses() -> None:
    assert list(BACK_OFF) == sorted(BACK_OFF)
    assert 2 < sum(pause.total_seconds() for pause in BACK_OFF) / 86_400 < 4
