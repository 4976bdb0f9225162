from __future__ import annotations

import pytest

from digest.gather.stories.wording import plain_number, tells


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("1.400", "1400"),
        ("1,400", "1400"),
        ("1.400.000", "1400000"),
        ("7,5", "7.5"),
        ("3-1", "3:1"),
        ("24–17", "24:17"),
    ],
)
def test_a_number_is_the_same_in_every_language(written: str, plain: str) -> None:
    assert plain_number(written) == plain


@pytest.mark.parametrize(
    ("number", "does"),
    [
        ("412", True),
        ("5.3", True),
        ("3:1", True),
        ("9" * 5000, True),
        ("2", False),
        ("12", False),
        ("2026", False),
    ],
)
def test_small_counts_and_years_tell_nothing(number: str, does: bool) -> None:
    assert tells(number) is does
