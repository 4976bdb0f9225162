"""Slots of a cap: evenly spread, never taken twice, never far ahead."""

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.throttle.slots import AHEAD, PUT_OFF_MOST, count_free, first_free, opens_at, put_off, take
from digest.store.throttles import Slots

RATES = st.floats(min_value=1 / 3600, max_value=2_000)


@given(
    rate=RATES,
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 700)), min_size=1, max_size=30),
)
def test_whoever_asks_and_whenever_no_window_gets_more_than_the_cap_and_a_second(
    rate: float, steps: list[tuple[float, int]]
) -> None:
    slots, now, taken = Slots(), 1_000_000.0, []
    for passed, wanted in steps:
        now += passed
        moments, slots = take(slots, rate, wanted, now=now)
        assert len(moments) <= wanted
        assert all(moment <= now + AHEAD + 1e-6 for moment in moments)
        taken += [max(now, moment) for moment in moments]
    taken.sort()
    for first, moment in enumerate(taken):
        within = bisect_right(taken, moment + 10) - first
        assert within <= rate * 11 + 1 + 1e-6


@given(rate=RATES, last=st.floats(0, 2_000_000))
def test_there_are_as_many_slots_as_are_counted(rate: float, last: float) -> None:
    slots = Slots(last=last)
    moments, _ = take(slots, rate, 10**6, now=1_000_000.0)
    assert len(moments) == count_free(slots, rate, now=1_000_000.0)
    assert bool(moments) == (first_free(slots, rate, now=1_000_000.0) <= 1_000_000.0 + AHEAD)


@given(rate=RATES, count=st.integers(0, 2_000), promised=st.floats(0, 2_000_000))
def test_what_is_put_off_comes_within_half_an_hour(rate: float, count: int, promised: float) -> None:
    now = 1_000_000.0
    moments, left = put_off(Slots(now, promised), rate, count, now=now)
    assert len(moments) == count
    assert all(now < moment <= now + PUT_OFF_MOST for moment in moments)
    assert left.promised <= max(promised, now + PUT_OFF_MOST)


def test_those_put_off_later_come_behind_those_put_off_before() -> None:
    first, slots = put_off(Slots(100.0), 10, 20, now=100.0)
    second, _ = put_off(slots, 10, 20, now=101.0)
    assert max(first) < min(second)
    assert [round(at, 6) for at in first[:3]] == [100.1, 100.2, 100.3]


def test_a_clock_that_was_an_hour_ahead_holds_nobody_up() -> None:
    assert take(Slots(last=4_600.0), 10, 1, now=1_000.0)[0] == [1_000.0]


def test_slots_open_a_quarter_of_what_is_taken_ahead_at_a_time() -> None:
    _, slots = take(Slots(), 100, 10_000, now=1_000.0)
    opens = opens_at(slots, 100, 500, now=1_000.0)
    assert 1_002 < opens < 1_003
    assert count_free(slots, 100, now=opens) >= 250
