from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.errors import InvalidInput
from digest.domain.times import Window, aware_utc, local_midnight, local_moment, retry_after, zone

BERLIN, NEW_YORK, LORD_HOWE = map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"))
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)

zones = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "America/Havana",
            "America/Santiago",
            "Asia/Kathmandu",
            "Pacific/Kiritimati",
            "Africa/Cairo",
        )
    ]
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive datetime"):
        aware_utc(datetime(2026, 11, 23))
    with pytest.raises(ValueError, match="naive datetime"):
        Window(datetime(2026, 11, 16), datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize("name", ["Berlin", "Europe", "", "../etc/passwd", "Europe/Ber\x00lin", "x" * 300])
def test_an_unknown_zone_is_told_with_an_example(name: str) -> None:
    with pytest.raises(InvalidInput, match="is not a time zone: use an IANA name such as Europe/Paris"):
        zone(name)


def test_a_window_is_half_open_and_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    window = Window(datetime(2026, 11, 16, 9, tzinfo=tokyo), datetime(2026, 11, 16, 10, tzinfo=tokyo))
    assert window.start == datetime(2026, 11, 16, tzinfo=UTC)
    assert window.start.tzinfo is UTC
    assert window.start in window
    assert window.end not in window


def test_a_window_without_a_moment_in_it_is_refused() -> None:
    moment = datetime(2026, 11, 16, tzinfo=UTC)
    for end in (moment, moment - HOUR):
        with pytest.raises(ValueError, match="ends before it starts"):
            Window(moment, end)


@pytest.mark.parametrize(
    ("tz", "spring", "autumn", "shift"),
    [
        (BERLIN, date(2026, 3, 29), date(2026, 10, 25), HOUR),
        (NEW_YORK, date(2026, 3, 8), date(2026, 11, 1), HOUR),
        (LORD_HOWE, date(2026, 10, 4), date(2026, 4, 5), HOUR / 2),
    ],
)
def test_a_week_in_which_clocks_change_is_shorter_or_longer(
    tz: ZoneInfo, spring: date, autumn: date, shift: timedelta
) -> None:
    for day, length in ((spring, WEEK - shift), (autumn, WEEK + shift)):
        window = Window.of_days(day - timedelta(days=3), day + timedelta(days=3), tz)
        assert window.end - window.start == length
        assert window.local_days(tz) == (day - timedelta(days=3), day + timedelta(days=3))


def test_a_day_that_has_no_midnight_begins_when_its_clocks_do() -> None:
    santiago = ZoneInfo("America/Santiago")
    begins = local_midnight(date(2026, 9, 6), santiago)
    assert begins.astimezone(santiago).timetuple()[:5] == (2026, 9, 6, 1, 0)


def test_a_day_that_has_two_midnights_begins_with_the_first() -> None:
    havana = ZoneInfo("America/Havana")
    window = Window.of_days(date(2026, 11, 1), date(2026, 11, 1), havana)
    assert window.end - window.start == timedelta(hours=25)


@given(moments, zones, st.integers(1, 31))
def test_a_window_ends_at_the_last_midnight_and_covers_whole_days(
    now: datetime, tz: ZoneInfo, days: int
) -> None:
    window = Window.before(now, days, tz)
    first, last = window.local_days(tz)
    assert window.end <= now < window.end + timedelta(hours=26)
    assert last == now.astimezone(tz).date() - timedelta(days=1)
    assert last - first == timedelta(days=days - 1)


@given(moments, zones, st.integers(0, 86_399))
def test_two_runs_on_one_local_date_have_the_same_window(now: datetime, tz: ZoneInfo, seconds: int) -> None:
    later = now + timedelta(seconds=seconds)
    same_date = now.astimezone(tz).date() == later.astimezone(tz).date()
    assert (Window.before(now, 7, tz) == Window.before(later, 7, tz)) is same_date


@given(moments, zones)
def test_the_windows_of_one_day_after_the_other_leave_no_gap(now: datetime, tz: ZoneInfo) -> None:
    today = now.astimezone(tz).date()
    tomorrow = local_midnight(today + timedelta(days=1), tz) + HOUR / 2
    assert Window.before(now, 1, tz).end == Window.before(tomorrow, 1, tz).start


ASKED = datetime(2026, 11, 23, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0.5 ", 0.5),
        ("Mon, 23 Nov 2026 08:00:00 GMT", 3600),
        ("Mon, 23 Nov 2026 06:00:00 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("١٢", None),
        ("", None),
        ("9" * 20, None),
        (f"Mon, 23 Nov {'9' * 30} 08:00:00 GMT", None),
        ("Mon, 23 Nov 2026 08:00:00 +999999999", None),
        ("0 Jan 1", None),
    ],
)
def test_a_server_says_when_to_come_back_or_nothing(value: str, seconds: float | None) -> None:
    assert retry_after(value, now=ASKED) == (None if seconds is None else timedelta(seconds=seconds))


CHANGING = st.sampled_from(
    ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC"]
)


@given(
    st.dates(date(1990, 1, 1), date(2037, 1, 1)),
    st.times().map(lambda at: at.replace(microsecond=0)),
    CHANGING,
)
def test_an_hour_comes_once_a_day_and_never_before_the_clock_shows_it(day: date, at: time, name: str) -> None:
    tz = ZoneInfo(name)
    moment = local_moment(day, at, tz)
    wanted = datetime.combine(day, at)
    assert moment.astimezone(tz).replace(tzinfo=None) >= wanted
    just_before = (moment - timedelta(seconds=1)).astimezone(tz).replace(tzinfo=None)
    assert just_before < wanted


def test_a_day_that_a_zone_left_out_is_over_when_the_next_begins() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert local_moment(date(2011, 12, 30), time(7), apia) == local_midnight(date(2011, 12, 31), apia)
