from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.domain.wished import WEEKDAYS, WHENEVER, WishedHour, parse_wished_hour

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, 6, 10, tzinfo=UTC)
"""07:10 in Paris."""

WISHES = st.builds(
    WishedHour,
    st.none() | st.integers(0, len(WEEKDAYS) - 1),
    st.none() | st.integers(min_value=0, max_value=23),
)


@given(WISHES)
def test_a_wish_is_read_as_it_is_written(wish: WishedHour) -> None:
    assert parse_wished_hour(str(wish)) == wish


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("", WHENEVER),
        (" ANY ", WHENEVER),
        ("Saturday 8", WishedHour(5, 8)),
        ("saturday", WishedHour(5)),
        ("23:00", WishedHour(None, 23)),
        ("00", WishedHour(None, 0)),
    ],
)
def test_a_wish_may_be_written_as_people_do(text: str, wish: WishedHour) -> None:
    assert parse_wished_hour(text) == wish


@pytest.mark.parametrize("text", ["24:00", "8:30", "samedi", "8 saturday", "saturday 8 9", "-1", "any 8"])
def test_what_is_no_wish_is_told_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no day and hour: write it like 'saturday 08:00'"):
        parse_wished_hour(text)


@pytest.mark.parametrize(
    ("wish", "then"),
    [
        ("", "2026-11-23 07:10"),
        ("07:00", "2026-11-23 07:10"),
        ("monday", "2026-11-23 07:10"),
        ("monday 07:00", "2026-11-23 07:10"),
        ("08:00", "2026-11-23 08:00"),
        ("06:00", "2026-11-24 06:00"),
        ("monday 06:00", "2026-11-30 06:00"),
        ("sunday", "2026-11-29 07:10"),
        ("saturday 23:00", "2026-11-28 23:00"),
    ],
)
def test_a_mail_waits_for_the_first_such_hour_and_leaves_at_once_within_it(wish: str, then: str) -> None:
    found = parse_wished_hour(wish).first_from(MONDAY, PARIS)
    assert f"{found.astimezone(PARIS):%Y-%m-%d %H:%M}" == then


def test_an_hour_that_clocks_leap_over_is_the_first_moment_after() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert WishedHour(None, 2).first_from(before, PARIS) == datetime(2026, 3, 29, 1, tzinfo=UTC)


@given(
    WISHES,
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.sampled_from(["UTC", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_nobody_waits_for_more_than_eight_days(wish: WishedHour, moment: datetime, zone: str) -> None:
    now = moment.replace(tzinfo=UTC)
    assert timedelta(0) <= wish.first_from(now, ZoneInfo(zone)) - now < timedelta(days=8)
