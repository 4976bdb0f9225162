from datetime import timedelta

import pytest

from digest.domain.bounces import (
    Meaning,
    meaning_of_delay,
    meaning_of_outcome,
    meaning_of_status,
    statuses_in,
)
from digest.domain.deliveries import HARD_BOUNCES, DeliveryState, Outcome


@pytest.mark.parametrize("status", sorted(HARD_BOUNCES))
def test_codes_of_a_mailbox_that_is_not_there_suppress(status: str) -> None:
    assert meaning_of_status(status) is Meaning.GONE
    assert meaning_of_status(status.replace("5", "4", 1)) is Meaning.SOFT


@pytest.mark.parametrize("first", "45")
@pytest.mark.parametrize("detail", range(60))
def test_no_policy_code_is_ever_held_against_a_reader(first: str, detail: int) -> None:
    assert meaning_of_status(f"{first}.7.{detail}") is Meaning.REFUSES_US


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("5.2.2", Meaning.SOFT),
        ("4.2.2", Meaning.SOFT),
        ("4.4.1", Meaning.SOFT),
        ("5.0.0", Meaning.SOFT),
        ("", Meaning.SOFT),
        ("5.1.8", Meaning.REFUSES_US),
        ("5.1.7", Meaning.REFUSES_US),
        ("5.3.4", Meaning.ABOUT_MAIL),
        ("5.2.3", Meaning.ABOUT_MAIL),
        ("5.6.0", Meaning.ABOUT_MAIL),
        ("2.1.5", Meaning.NOTHING),
    ],
)
def test_other_codes_suppress_nobody(status: str, meaning: Meaning) -> None:
    assert meaning_of_status(status) is meaning


def test_a_mail_that_waits_counts_after_three_days() -> None:
    assert meaning_of_delay(timedelta(hours=71)) is Meaning.DELAYED
    assert meaning_of_delay(timedelta(hours=72)) is Meaning.SOFT


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5.1.1 no such user", ("5.1.1",)),
        ("smtp; 550-5.7.1 blocked. 550 5.1.1", ("5.7.1", "5.1.1")),
        ("from 5.1.1.10 and [4.7.1.22], version 15.1.1", ()),
        ("(#5.1.1)", ("5.1.1",)),
        ("said 5.1.10.", ("5.1.10",)),
    ],
)
def test_codes_are_found_in_words_and_addresses_are_none(text: str, found: tuple[str, ...]) -> None:
    assert statuses_in(text) == found


@pytest.mark.parametrize(
    ("state", "code", "text", "meaning"),
    [
        (DeliveryState.FAILED, 550, "5.1.1 no such user", Meaning.GONE),
        (DeliveryState.FAILED, 550, "we quote: 5.1.1", Meaning.SOFT),
        (DeliveryState.FAILED, 550, "no such user", Meaning.SOFT),
        (DeliveryState.FAILED, 452, "given up after 3 days of trying: 4.2.2 full", Meaning.SOFT),
        (DeliveryState.FAILED, 452, "given up after 3 days of trying: 4.7.1 slow down", Meaning.REFUSES_US),
        (DeliveryState.FAILED, 550, "given up after 3 days of trying: 5.7.1 no", Meaning.REFUSES_US),
        (DeliveryState.FAILED, 530, "log in first", Meaning.REFUSES_US),
        (DeliveryState.FAILED, 553, "given up: the sender is refused: not your domain", Meaning.REFUSES_US),
        (DeliveryState.FAILED, 451, "given up: the sender is refused: 4.3.0 full", Meaning.REFUSES_US),
        (DeliveryState.FAILED, 552, "5.3.4 too big", Meaning.ABOUT_MAIL),
        (DeliveryState.FAILED, None, "given up: nobody answers", Meaning.NOTHING),
        (DeliveryState.PENDING, 452, "4.2.2 full", Meaning.NOTHING),
        (DeliveryState.ACCEPTED, 250, "2.0.0 ok", Meaning.NOTHING),
    ],
)
def test_a_conversation_says_something_only_when_it_ended_for_good(
    state: DeliveryState, code: int | None, text: str, meaning: Meaning
) -> None:
    assert meaning_of_outcome(Outcome(state, code, text)) is meaning
