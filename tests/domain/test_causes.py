"""Failures by cause: what one mail's own words hide is one thing."""

import pytest

from digest.domain.bounces import Meaning
from digest.domain.causes import causes_of, causes_of_returned


def test_the_same_refusal_of_many_readers_is_one_cause() -> None:
    said = [
        (550, f"5.1.1 <r{number}@example.org>: Recipient unknown (id 4XyZ{number}00ab)")
        for number in range(3)
    ]
    (cause,) = causes_of(said)
    assert (cause.code, cause.status, cause.words, cause.count) == (
        550,
        "5.1.1",
        "…: Recipient unknown (id …)",
        3,
    )


def test_the_most_frequent_cause_comes_first_and_other_codes_are_others() -> None:
    causes = causes_of([(554, "5.7.1 no"), (550, "5.7.1 no"), (554, "5.7.1 no"), (None, "")])
    assert [(one.in_words, one.count) for one in causes] == [
        ("554 5.7.1 no", 2),
        ("nothing was said", 1),
        ("550 5.7.1 no", 1),
    ]


@pytest.mark.parametrize(
    ("code", "text", "step"),
    [
        (550, "5.1.1 no such user", "suppressed"),
        (554, "5.7.1 rejected", "digest doctor"),
        (535, "5.7.8 bad credentials", "log-in"),
        (552, "5.3.4 too big", "full"),
        (554, "5.6.0 malformed", "its making"),
        (550, "go away", "once more later"),
        (None, "given up after 3 days of trying: 451 busy", "no server refused it"),
    ],
)
def test_each_cause_says_what_to_do(code: int | None, text: str, step: str) -> None:
    (cause,) = causes_of([(code, text)])
    assert step in cause.next_step


@pytest.mark.parametrize(
    "text",
    [
        "5.1.1 <ada@example.org> unknown https://example.org/why?x=1 [192.0.2.7] at 1764000000",
        "5.1.1 <ben@example.org> unknown https://example.org/why?x=2 [198.51.100.3] at 1764000099",
        "5.1.1 <cy@example.org> unknown https://example.org/why?x=3 [2001:db8::1] at 1764000100",
    ],
)
def test_addresses_pages_hosts_and_times_are_one_mails_own(text: str) -> None:
    (cause,) = causes_of([(550, text)])
    assert cause.words == "… unknown … … at …"


@pytest.mark.parametrize(
    ("meaning", "step"),
    [
        (Meaning.GONE, "suppressed"),
        (Meaning.REFUSES_US, "digest doctor"),
        (Meaning.ABOUT_MAIL, "its making"),
        (Meaning.SOFT, "three issues in a row"),
    ],
)
def test_what_came_back_was_refused_by_some_server_and_is_not_sent_once_more(
    meaning: Meaning, step: str
) -> None:
    (cause,) = causes_of_returned([(meaning, "5.1.1 no <ada@example.org>"), (meaning, "5.1.1 no <b@c.org>")])
    assert (cause.count, cause.in_words) == (2, "came back: 5.1.1 no …")
    assert step in cause.next_step
    assert "once more" not in cause.next_step
