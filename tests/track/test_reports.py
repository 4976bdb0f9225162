"""What is read of mails that come back, whoever wrote them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.track.guesses import Guess
from digest.track.reports import Action, Kind, RecipientReport, read_report
from tests.track.reports import ABOUT, QMAIL, TO, complaint, delivery_report, group, plain_mail


def test_a_delivery_report_tells_recipient_code_and_the_mail_it_is_about() -> None:
    report = read_report(delivery_report())
    assert report.kind is Kind.DELIVERY_REPORT
    assert report.recipients == (
        RecipientReport(
            "", "ada@example.org", Action.FAILED, "5.1.1", "550 5.1.1 <ada@example.org>: no such user"
        ),
    )
    assert (report.own_id, report.about, report.addresses) == ("<report.1@mx.example.net>", ABOUT, (TO,))


def test_each_recipient_of_a_report_is_told_with_the_original_and_the_final_address() -> None:
    report = read_report(
        delivery_report(
            group(original="rfc822;Ada@Example.org", final="rfc822; ada@elsewhere.example"),
            group(action="Delayed", status="4.4.1 (timeout)", final="rfc822;ben@example.org", diagnostic=""),
            group(action="relayed", status="2.0.0", final="<cy@example.org>"),
            group(action="vanished"),
        )
    )
    assert [(one.original, one.final, one.action, one.status) for one in report.recipients] == [
        ("Ada@Example.org", "ada@elsewhere.example", Action.FAILED, "5.1.1"),
        ("", "ben@example.org", Action.DELAYED, "4.4.1"),
        ("", "cy@example.org", Action.RELAYED, "2.0.0"),
    ]


def test_an_international_report_is_read_alike() -> None:
    octets = delivery_report(
        group(final=r"utf-8; \x{E9}ric@example.org"),
        group(final="utf-8; søren@example.org", action="delayed", status="4.2.2"),
        status_type="message/global-delivery-status",
    )
    assert [one.final for one in read_report(octets).recipients] == ["éric@example.org", "søren@example.org"]


def test_a_complaint_tells_its_kind_and_the_return_path_of_the_mail() -> None:
    report = read_report(complaint())
    assert (report.kind, report.feedback, report.about) == (Kind.COMPLAINT, "abuse", ABOUT)
    assert report.addresses == ("abuse@news.example.org", TO)
    for kind in ("not-spam", "auth-failure", "virus"):
        assert read_report(complaint(kind)).kind is Kind.OTHER_FEEDBACK
    assert read_report(complaint("")).kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-replied; owner=ada\n",
        "Precedence: auto_reply\n",
        "X-Autoreply: yes\n",
    ],
)
def test_an_absence_is_no_bounce_whatever_it_quotes(headers: str) -> None:
    body = QMAIL.format(said="550 5.1.1 no such user")
    octets = plain_mail(body, sender="ada@example.org", headers=headers)
    assert read_report(octets).kind is Kind.AUTO_REPLY
    assert read_report(plain_mail(body)).kind is Kind.GUESSED


def test_a_receipt_is_no_bounce() -> None:
    octets = delivery_report(status_type="message/disposition-notification")
    assert read_report(octets).kind is Kind.AUTO_REPLY


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("550 5.1.1 no such user", "5.1.1"),
        ("550 5.1.1 rejected: 5.7.1 bad reputation", "5.7.1"),
        ("550 sorry", ""),
    ],
)
def test_words_alone_tell_the_address_and_the_code_that_is_safest(said: str, status: str) -> None:
    report = read_report(plain_mail(QMAIL.format(said=said)))
    assert report.guess == Guess(frozenset({"ada@example.org"}), frozenset(), status)


def test_an_exim_report_in_words_is_no_absence() -> None:
    headers = "X-Failed-Recipients: ada@example.org\nAuto-Submitted: auto-replied\n"
    report = read_report(plain_mail("A message that you sent could not be delivered.\n", headers=headers))
    assert report.kind is Kind.GUESSED
    assert report.guess
    assert report.guess.failed == {"ada@example.org"}


def test_a_letter_from_a_person_is_nothing() -> None:
    report = read_report(plain_mail("Thanks, I liked 5.1.1 of it.\n", sender="ada@example.org"))
    assert (report.kind, report.recipients) == (Kind.UNREADABLE, ())
    assert "neither a delivery report nor a complaint" in report.why


def test_a_report_inside_the_mail_that_is_given_back_is_not_ours() -> None:
    inner = delivery_report().decode().replace("--b", "--c").replace('"b"', '"c"')
    octets = (
        "To: x@news.example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        f"--b\nContent-Type: text/plain\n\nfwd\n\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    ).encode()
    assert read_report(octets).kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\0\xff\xfe",
        b"Content-Type: multipart/report; report-type=delivery-status\n\n",
        b'Content-Type: multipart/report; boundary="b"\n\n--b\nContent-Type: message/delivery-status\n\n',
        b"Content-Type: message/delivery-status\n\n\n\n\n",
        b"Content-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n====",
        b"Content-Type: text/plain; charset=klingon\n\nhello",
        b"To: \xff\xfe@\n\n",
        b"Subject: =?utf-8?b?====?=\n\n",
    ],
)
def test_what_is_broken_is_unreadable_and_says_why(octets: bytes) -> None:
    report = read_report(octets)
    assert report.kind is Kind.UNREADABLE
    assert report.why


def nested(depth: int) -> bytes:
    opening = "".join(f"Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n" for at in range(depth))
    return opening.encode() + b"Content-Type: text/plain\n\nhi\n" + b"line\n" * 20_000


@pytest.mark.parametrize(
    "octets",
    [
        nested(3_000),
        nested(100),
        b"Content-Type: message/rfc822\n\n" * 5_000,
        delivery_report(*[group(final=f"rfc822; r{at}@example.org") for at in range(2_000)]),
        b"To: " + b"<" * 200_000 + b"\n\n",
        b"To: " + b"(" * 100_000 + b"\n\nhello",
        b"To: a@b.example\n" * 10_000 + b"\n",
        plain_mail("<ada@example.org>:\n" * 10_000),
        plain_mail(" " * 200_000),
        b"X: y\n" * 50_000,
        b"x" * 5_000_000,
    ],
    ids=lambda octets: f"{octets[:30]!r}, {len(octets)}",
)
def test_no_mail_takes_long_to_read(octets: bytes) -> None:
    began = time.process_time()
    report = read_report(octets)
    assert time.process_time() - began < 3
    assert len(report.recipients) <= 100


@given(st.binary(max_size=400))
def test_no_octets_are_too_strange(octets: bytes) -> None:
    read_report(octets)


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=40))
def test_values_are_one_short_printable_line_each(final: str, diagnostic: str, status: str) -> None:
    octets = delivery_report(group(final=f"rfc822; {final}", diagnostic=diagnostic, status=status))
    for one in read_report(octets).recipients:
        for value in (one.original, one.final, one.status, one.diagnostic):
            assert value.isprintable()
            assert len(value) <= 500
