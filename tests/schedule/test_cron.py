from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.schedule.cron import due_dates, next_due

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def local(cron: str, timezone: str, after: datetime, count: int) -> list[str]:
    found = due_dates(cron, timezone, after=after, count=count)
    return [f"{moment.astimezone(ZoneInfo(timezone)):%m-%d %H:%M}" for moment in found]


def test_due_dates_are_wall_clock_times_given_in_utc() -> None:
    after = datetime(2026, 11, 23, 6, tzinfo=UTC)
    first, second = due_dates("0 7 * * MON", BERLIN, after=after, count=2)
    assert (first, second) == (
        datetime(2026, 11, 30, 6, tzinfo=UTC),
        datetime(2026, 12, 7, 6, tzinfo=UTC),
    )
    assert first.utcoffset() == timedelta(0)


def test_a_rule_keeps_its_hour_when_clocks_change() -> None:
    after = datetime(2026, 3, 22, 6, tzinfo=UTC)
    assert local("0 7 * * SUN", BERLIN, after, 2) == ["03-29 07:00", "04-05 07:00"]


@pytest.mark.parametrize(
    ("cron", "timezone", "day", "times"),
    [
        # Clocks skip the hour: it is due at once after it.
        ("30 2 * * *", BERLIN, datetime(2026, 3, 29), ["03-29 03:00", "03-30 02:30"]),
        ("30 2 * * *", NEW_YORK, datetime(2026, 3, 8), ["03-08 03:00", "03-09 02:30"]),
        ("15 2 * * *", LORD_HOWE, datetime(2026, 10, 4), ["10-04 02:30", "10-05 02:15"]),
        # The hour comes twice: it is due once.
        ("30 2 * * *", BERLIN, datetime(2026, 10, 25), ["10-25 02:30", "10-26 02:30"]),
        ("30 1 * * *", NEW_YORK, datetime(2026, 11, 1), ["11-01 01:30", "11-02 01:30"]),
        ("45 1 * * *", LORD_HOWE, datetime(2026, 4, 5), ["04-05 01:45", "04-06 01:45"]),
    ],
)
def test_a_rule_comes_due_once_on_the_day_clocks_change(
    cron: str, timezone: str, day: datetime, times: list[str]
) -> None:
    assert local(cron, timezone, day.replace(tzinfo=ZoneInfo(timezone)), 2) == times


days = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@given(days, st.integers(0, 23), st.integers(0, 59), st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE]))
def test_a_daily_rule_comes_once_on_every_local_date(
    after: datetime, hour: int, minute: int, timezone: str
) -> None:
    found = due_dates(f"{minute} {hour} * * *", timezone, after=after, count=10)
    dates = [moment.astimezone(ZoneInfo(timezone)).date() for moment in found]
    assert dates == [dates[0] + timedelta(days=number) for number in range(10)]


@given(days)
def test_counting_on_from_each_due_date_gives_the_same_dates(after: datetime) -> None:
    """What a tick does, each time from the date it found."""
    found = due_dates("30 2 * * *", BERLIN, after=after, count=5)
    one_by_one = [next_due("30 2 * * *", BERLIN, after=moment) for moment in (after, *found[:-1])]
    assert list(found) == one_by_one


@pytest.mark.parametrize("cron", ["", "0 7 * *", "0 25 * * *", "every monday", "0 0 7 * * MON", "0 7 30 2 *"])
def test_a_rule_that_is_none_is_told_with_an_example(cron: str) -> None:
    with pytest.raises(InvalidInput, match=r"is not a cron rule .*'0 7 \* \* MON' for Mondays at 7:00"):
        next_due(cron, BERLIN, after=datetime(2026, 11, 23, tzinfo=UTC))


def test_a_date_that_never_comes_is_refused() -> None:
    after = datetime(2026, 11, 23, tzinfo=UTC)
    assert due_dates("0 7 */31 2 MON#5", BERLIN, after=after, count=3) == ()
    with pytest.raises(InvalidInput, match="never comes due"):
        next_due("0 7 */31 2 MON#5", BERLIN, after=after)


@pytest.mark.parametrize(
    ("cron", "times", "once"),
    [
        ("0 7,17 * * *", 2, "0 7 * * *"),
        ("0,30 9 1 * *", 2, "0 9 1 * *"),
        ("*/15 8-9 * * MON-FRI", 8, "0 8 * * MON-FRI"),
        ("5 * * * SUN", 24, "5 0 * * SUN"),
    ],
)
def test_a_rule_that_comes_due_twice_a_day_is_refused_with_a_way_out(
    cron: str, times: int, once: str
) -> None:
    """One local date has one occurrence, so the second hour would never run."""
    with pytest.raises(InvalidInput) as told:
        next_due(cron, BERLIN, after=datetime(2026, 11, 23, tzinfo=UTC))
    assert f"'{cron}' comes due {times} times a day" in str(told.value)
    assert f"as in '{once}'" in str(told.value)
    assert "make a second schedule" in str(told.value)


@pytest.mark.parametrize(
    "cron", ["0 7 * * *", "0 7 * * MON,THU", "00 07 1,15 * *", "0-0 7 1 */3 *", "30 2 L * *"]
)
def test_a_rule_of_one_hour_may_have_any_dates(cron: str) -> None:
    assert next_due(cron, BERLIN, after=datetime(2026, 11, 23, tzinfo=UTC))


def test_an_unknown_zone_is_told() -> None:
    with pytest.raises(InvalidInput, match="'Mars/Olympus' is not a time zone"):
        next_due("0 7 * * *", "Mars/Olympus", after=datetime(2026, 11, 23, tzinfo=UTC))
