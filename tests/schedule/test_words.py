from datetime import time

import pytest

from digest.domain.errors import InvalidInput
from digest.schedule.weekly import Weekly, as_weekly, weekly_rule
from digest.schedule.words import in_words


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 7 * * MON", "Every Monday at 07:00"),
        ("5 17 * * 1-5", "Monday to Friday at 17:05"),
        ("0 7 * * *", "Every day at 07:00"),
        ("0 7 * * 0,7", "Every Sunday at 07:00"),
        ("0 7 * * FRI,MON,WED", "Every Monday, Wednesday and Friday at 07:00"),
        ("30 6 1 * *", "On the first day of every month at 06:30"),
        ("0 9 * * MON#1", "On the first Monday of the month at 09:00"),
        ("0 9 * * 5L", "On the last Friday of the month at 09:00"),
        ("59 23 31 12 *", "On December 31 at 23:59"),
    ],
)
def test_a_rule_is_told_as_people_say_it(cron: str, words: str) -> None:
    assert in_words(cron) == words


def test_what_is_no_rule_is_shown_as_it_is() -> None:
    assert in_words("every monday") == "every monday"


def test_days_and_a_time_make_a_rule_and_a_rule_gives_them_back() -> None:
    assert weekly_rule([4, 0], "07:30") == "30 7 * * MON,FRI"
    assert as_weekly("30 7 * * MON,FRI") == Weekly((0, 4), time(7, 30))
    assert weekly_rule(range(7), "00:05") == "5 0 * * *"
    assert as_weekly("5 0 * * *") == Weekly(tuple(range(7)), time(0, 5))


@pytest.mark.parametrize(
    "cron", ["0 7 1 * *", "0 7 * * MON#1", "0 7,8 * * MON", "0 7 * * 5L", "often", "* * * * * *"]
)
def test_a_rule_that_says_more_than_days_of_the_week_is_none_of_these(cron: str) -> None:
    assert as_weekly(cron) is None


@pytest.mark.parametrize(
    ("days", "at", "words"), [([], "07:00", "at least one day"), ([0], "noon", "'noon' is no time")]
)
def test_what_is_missing_of_a_weekly_rule_is_said(days: list[int], at: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        weekly_rule(days, at)
