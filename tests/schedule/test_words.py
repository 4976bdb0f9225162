import pytest

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
