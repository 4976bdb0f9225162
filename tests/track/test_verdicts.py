"""What a mail that came back means for a reader."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.domain.bounces import Meaning
from digest.domain.deliveries import HARD_BOUNCES, DeliveryId
from digest.domain.issues import IssueId
from digest.store.returned import ReturnedDelivery
from digest.track.reports import read_report
from digest.track.verdicts import Verdict, judge
from tests.stored import NOW
from tests.track.reports import ABOUT, QMAIL, complaint, delivery_report, group, plain_mail

ADA = ReturnedDelivery(DeliveryId(7), "ada@example.org", ABOUT, IssueId(3), NOW)


def judged(octets: bytes, *, after: timedelta = timedelta(hours=1)) -> Verdict:
    return judge(read_report(octets), ADA, now=NOW + after)


def meaning(*groups: str, after: timedelta = timedelta(hours=1)) -> Meaning:
    return judged(delivery_report(*groups), after=after).meaning


@pytest.mark.parametrize("status", sorted(HARD_BOUNCES))
def test_a_mailbox_that_is_not_there_is_gone(status: str) -> None:
    assert meaning(group(status=status, diagnostic="")) is Meaning.GONE
    assert meaning(group(status="5.0.0", diagnostic=f"smtp; 550 {status} no")) is Meaning.GONE
    assert meaning(group(status="", diagnostic=f"smtp; 550 {status} no")) is Meaning.GONE


def test_a_policy_decides_wherever_it_stands() -> None:
    assert meaning(group(status="5.7.26", diagnostic="")) is Meaning.REFUSES_US
    assert meaning(group(status="5.1.1", diagnostic="smtp; 550 5.7.1 blocked")) is Meaning.REFUSES_US
    assert meaning(group(action="delayed", status="4.7.0")) is Meaning.REFUSES_US


def test_a_temporary_failure_is_soft_once_the_server_gave_up_or_after_three_days() -> None:
    assert meaning(group(status="4.4.1", diagnostic="")) is Meaning.SOFT
    waiting = group(action="delayed", status="4.4.1", diagnostic="")
    assert meaning(waiting, after=timedelta(hours=71)) is Meaning.DELAYED
    assert meaning(waiting, after=timedelta(hours=72)) is Meaning.SOFT
    assert meaning(group(status="5.2.2", diagnostic="")) is Meaning.SOFT


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_what_arrived_means_nothing(action: str) -> None:
    assert meaning(group(action=action, status="2.0.0", diagnostic="")) is Meaning.NOTHING


def test_a_mailbox_that_the_readers_mail_is_passed_on_to_costs_them_nothing_at_once() -> None:
    onward = "rfc822; ada@elsewhere.example"
    assert meaning(group(final=onward)) is Meaning.SOFT
    assert meaning(group(original="rfc822; ada@example.org", final=onward)) is Meaning.SOFT
    assert "passed on to ada@elsewhere.example" in judged(delivery_report(group(final=onward))).detail
    assert meaning(group(original="rfc822;x@y.example", final="rfc822;ADA@example.org")) is Meaning.GONE
    assert meaning(group(original="rfc822;ada@example.org", final="")) is Meaning.GONE


def test_of_several_recipients_the_reader_counts() -> None:
    other = group(final="rfc822; ben@example.org")
    assert meaning(other, group(action="relayed", status="2.0.0", diagnostic="")) is Meaning.NOTHING
    assert meaning(other, group(action="delayed", status="4.2.0", diagnostic="")) is Meaning.DELAYED
    assert meaning(group(action="delayed", status="4.2.0", diagnostic=""), group(), other) is Meaning.GONE
    assert meaning(other, other) is Meaning.SOFT


def test_a_complaint_counts_and_other_feedback_does_not() -> None:
    assert judged(complaint()).meaning is Meaning.COMPLAINT
    assert judged(complaint("not-spam")).meaning is Meaning.NOTHING


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("550 5.1.1 no such user", Meaning.GONE),
        ("554 5.7.1 blocked", Meaning.REFUSES_US),
        ("550 5.1.1 no, 5.7.1 blocked", Meaning.REFUSES_US),
        ("552 5.2.2 full", Meaning.SOFT),
        ("550 no", Meaning.SOFT),
    ],
)
def test_of_words_alone_only_a_code_makes_more_than_a_soft_bounce(said: str, expected: Meaning) -> None:
    assert judged(plain_mail(QMAIL.format(said=said))).meaning is expected
    other = QMAIL.format(said=said).replace("ada@example.org", "ben@example.org")
    assert judged(plain_mail(other)).meaning is (Meaning.SOFT if expected is Meaning.GONE else expected)


def test_a_report_that_gives_back_another_mail_of_ours_means_nothing_for_this_one() -> None:
    other = "<4.7.ba9876543210@news.example.org>"
    assert judged(delivery_report(about=other)).meaning is Meaning.UNKNOWN
    assert judged(complaint(about=other)).meaning is Meaning.UNKNOWN
    assert judged(delivery_report(about="<0100018f-rewritten@relay.example>")).meaning is Meaning.GONE
    assert judged(delivery_report(about="")).meaning is Meaning.GONE
