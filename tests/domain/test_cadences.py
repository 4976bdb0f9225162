from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.cadences import MOST_DAYS, Cadence, due_on, in_order, parse_cadence
from digest.domain.errors import InvalidInput

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
CADENCES = st.sampled_from(Cadence)


def sent(cadence: Cadence, days: list[date], *, window_days: int) -> list[date]:
    """Return which of these issues a reader of that cadence gets."""
    got: list[date] = []
    for day in days:
        if not got or due_on(cadence, got[-1], window_days=window_days) <= day:
            got.append(day)
    return got


@given(DAYS, st.lists(st.integers(-2, 1), min_size=30, max_size=30))
def test_a_weekly_that_slips_by_days_costs_nobody_a_turn(first: date, slips: list[int]) -> None:
    days = [first + timedelta(weeks=week, days=slip) for week, slip in enumerate(slips)]
    assert sent(Cadence.WEEKLY, days, window_days=7) == days
    assert sent(Cadence.FORTNIGHTLY, days, window_days=7) == days[::2]


@given(DAYS)
def test_monthly_is_one_issue_each_month_and_never_two_in_a_week(first: date) -> None:
    got = sent(Cadence.MONTHLY, [first + timedelta(weeks=week) for week in range(60)], window_days=7)
    months = [(day.year, day.month) for day in got]
    assert len(set(months)) == len(months)
    assert all(day.day <= 7 for day in got[2:])
    assert all(later - earlier >= timedelta(days=14) for earlier, later in pairwise(got))


def test_of_a_daily_a_weekly_reader_gets_one_each_week() -> None:
    days = [date(2026, 11, 2) + timedelta(days=day) for day in range(29)]
    assert sent(Cadence.WEEKLY, days, window_days=1) == days[::7]
    assert sent(Cadence.EVERY, days, window_days=1) == days


@given(CADENCES, DAYS, st.integers(1, 60))
def test_an_issue_far_enough_back_makes_nobody_wait(cadence: Cadence, last: date, window_days: int) -> None:
    assert due_on(cadence, last, window_days=window_days) <= last + timedelta(days=MOST_DAYS)


def test_only_a_cadence_on_offer_can_be_chosen() -> None:
    offered = in_order([Cadence.MONTHLY, Cadence.EVERY, Cadence.MONTHLY])
    assert offered == (Cadence.EVERY, Cadence.MONTHLY)
    assert parse_cadence(" Monthly ", offered) is Cadence.MONTHLY
    for wrong in ("weekly", "daily", "", "0"):
        with pytest.raises(
            InvalidInput, match=r"is no cadence of this newsletter; it offers: every, monthly"
        ):
            parse_cadence(wrong, offered)
