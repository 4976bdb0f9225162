"""Quiet hours: read, kept over midnight, and over the nights in which clocks are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.domain.errors import InvalidInput
from digest.domain.quiet import QuietHours

BERLIN = ZoneInfo("Europe/Berlin")


def hours(text: str) -> QuietHours:
    found = QuietHours.parse(text)
    assert found
    return found


def quiet_minutes(text: str, night: datetime, tz: ZoneInfo = BERLIN) -> int:
    """How many minutes of the 30 hours from `night` on are quiet."""
    return sum(hours(text).holds(night + timedelta(minutes=n), tz) for n in range(30 * 60))


@pytest.mark.parametrize("text", ["22:00-07:00", " 9:05 – 17:00 ", "00:00-23:59"])
def test_hours_are_read_and_written(text: str) -> None:
    assert QuietHours.parse(str(hours(text))) == hours(text)


@pytest.mark.parametrize("text", ["22-7", "22:00", "25:00-07:00", "22:00-07:61", "night", "٢٢:00-07:00"])
def test_what_are_no_hours_is_refused_with_how_to_write_them(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"are no hours: write from and to, as in 22:00-07:00"):
        QuietHours.parse(text)


def test_hours_without_a_length_are_refused_and_none_are_none() -> None:
    with pytest.raises(InvalidInput, match="ends when it begins"):
        QuietHours.parse("07:00-07:00")
    assert QuietHours.parse("  ") is None


def test_hours_over_midnight_end_in_the_morning() -> None:
    late = datetime(2026, 11, 23, 22, 30, 41, tzinfo=UTC)
    assert hours("22:00-07:00").until(late, BERLIN) == datetime(2026, 11, 24, 6, tzinfo=UTC)
    noon = datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert hours("22:00-07:00").until(noon, BERLIN) == noon


def test_an_hour_that_the_clocks_leave_out_is_not_waited_for() -> None:
    night = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert quiet_minutes("22:00-02:30", night) == 4 * 60
    assert quiet_minutes("02:00-03:00", night) == 0
    after_ten = datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert hours("22:00-02:30").until(after_ten, BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    night = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert quiet_minutes("22:00-02:30", night) == 4 * 60 + 60
    assert quiet_minutes("22:00-07:00", night) == 10 * 60
