from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.deliveries import DeliveryState, Outcome, back_off, is_hard_bounce

MINUTE = timedelta(minutes=1)


def test_waits_double_up_to_four_hours() -> None:
    most = [back_off(attempts, jitter=1.0) / MINUTE for attempts in range(1, 11)]
    assert most == [2, 4, 8, 16, 32, 64, 128, 240, 240, 240]


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_shorter_than_greylisting_wants_nor_longer_than_four_hours(
    attempts: int, jitter: float
) -> None:
    assert MINUTE <= back_off(attempts, jitter=jitter) <= 240 * MINUTE


@pytest.mark.parametrize(
    ("outcome", "is_hard"),
    [
        (Outcome(DeliveryState.FAILED, 550, "5.1.1 no such mailbox"), True),
        (Outcome(DeliveryState.FAILED, 550, "5.1.10 null MX"), True),
        (Outcome(DeliveryState.FAILED, 554, "5.7.1 you are blocked"), False),
        (Outcome(DeliveryState.FAILED, 552, "5.2.2 mailbox full"), False),
        (Outcome(DeliveryState.FAILED, 550, "no such user"), False),
        (Outcome(DeliveryState.FAILED, 550, ""), False),
        (Outcome(DeliveryState.PENDING, 450, "5.1.1 odd"), False),
    ],
)
def test_only_a_mailbox_that_is_not_there_is_a_hard_bounce(outcome: Outcome, is_hard: bool) -> None:
    assert is_hard_bounce(outcome) is is_hard
