from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.sources import FIRST_INTERVAL, Asked, Standing
from digest.gather.intervals import (
    LONGEST,
    LONGEST_WAIT,
    MOST_ASKED,
    SHORTEST,
    after_failure,
    after_list,
)

NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)  # a Friday
SEED = "https://meridian.example.org/feed"
SETTLED = Standing(succeeded_at=NOW - timedelta(hours=1), interval=timedelta(hours=2))


def listed(standing: Standing = SETTLED, asked: Asked | None = None, *, new: int = 0) -> Standing:
    return after_list(standing, asked or Asked(), new=new, now=NOW, seed=SEED)


def failed(standing: Standing = SETTLED, retry_after: timedelta | None = None) -> Standing:
    return after_failure(standing, "it answers 503", retry_after=retry_after, now=NOW, seed=SEED)


def pause(standing: Standing) -> timedelta:
    assert standing.next_poll_at is not None
    return standing.next_poll_at - NOW


def test_a_source_that_brings_something_is_polled_more_often_and_one_that_does_not_less() -> None:
    assert listed(new=3).interval == timedelta(hours=1)
    assert listed(new=0).interval == timedelta(hours=3)


def test_intervals_stay_within_their_bounds() -> None:
    busy = quiet = SETTLED
    for _ in range(30):
        busy, quiet = listed(busy, new=1), listed(quiet)
    assert (busy.interval, quiet.interval) == (SHORTEST, LONGEST)


def test_the_first_poll_tells_nothing_of_a_sources_habits() -> None:
    assert listed(Standing(), new=200).interval == FIRST_INTERVAL


@pytest.mark.parametrize("asked", [Asked(ttl=timedelta(hours=8)), Asked(fresh_for=timedelta(hours=8))])
def test_a_server_can_ask_for_longer_pauses(asked: Asked) -> None:
    assert timedelta(hours=8) <= pause(listed(asked=asked)) <= timedelta(hours=9)


@pytest.mark.parametrize("asked", [Asked(ttl=timedelta(minutes=1)), Asked(fresh_for=timedelta(seconds=1))])
def test_a_server_cannot_ask_for_shorter_ones(asked: Asked) -> None:
    assert pause(listed(asked=asked)) >= timedelta(hours=3)


def test_a_year_of_freshness_is_not_believed() -> None:
    standing = listed(asked=Asked(fresh_for=timedelta(days=365)))
    assert pause(standing) <= MOST_ASKED * 1.1
    assert standing.fresh_until == NOW + MOST_ASKED


def test_the_hours_and_days_a_feed_wants_to_be_spared_are() -> None:
    weekend = Asked(skip_days=frozenset({5, 6}))
    standing = listed(replace(SETTLED, interval=LONGEST), replace(weekend, ttl=timedelta(hours=20)))
    assert standing.next_poll_at == datetime(2026, 11, 23, tzinfo=UTC)
    hours = Asked(skip_hours=frozenset({13, 14, 15}))
    assert listed(asked=hours).next_poll_at == datetime(2026, 11, 20, 16, tzinfo=UTC)


def test_a_feed_that_wants_to_be_spared_always_is_polled_all_the_same() -> None:
    never = Asked(skip_hours=frozenset(range(24)))
    assert pause(listed(asked=never)) <= timedelta(days=8)


def test_each_failure_doubles_the_pause_up_to_a_day() -> None:
    standing, pauses = SETTLED, []
    for _ in range(12):
        standing = failed(standing)
        pauses.append(pause(standing))
    assert timedelta(minutes=5) <= pauses[0] <= timedelta(minutes=6)
    assert all(later >= earlier for earlier, later in pairwise(pauses))
    assert MOST_ASKED <= pauses[-1] <= MOST_ASKED * 1.1
    assert (standing.failures, standing.failing_since, standing.last_error) == (12, NOW, "it answers 503")


def test_a_retry_after_is_obeyed_up_to_a_week() -> None:
    assert failed(retry_after=timedelta(hours=5)).wait_until == NOW + timedelta(hours=5)
    assert pause(failed(retry_after=timedelta(hours=5))) == timedelta(hours=5)
    assert failed(retry_after=timedelta(days=400)).wait_until == NOW + LONGEST_WAIT


def test_a_source_that_is_well_again_has_a_clean_slate() -> None:
    standing = listed(replace(failed(retry_after=timedelta(hours=5)), alerted_at=NOW))
    assert (standing.failures, standing.failing_since, standing.last_error) == (0, None, "")
    assert (standing.alerted_at, standing.wait_until) == (None, None)


def test_sources_added_together_are_not_all_due_in_one_minute() -> None:
    due = {
        after_list(SETTLED, Asked(), new=0, now=NOW, seed=f"https://s{n}.example.org/").next_poll_at
        for n in range(50)
    }
    assert len(due) > 25


@given(
    failures=st.integers(0, 10**6),
    wait=st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10**6)),
    ttl=st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10**6)),
    hours=st.frozensets(st.integers(-1, 30)),
    days=st.frozensets(st.integers(-1, 8)),
)
def test_the_next_poll_is_always_to_come_and_never_further_off_than_two_weeks(
    failures: int, wait: timedelta | None, ttl: timedelta | None, hours: frozenset[int], days: frozenset[int]
) -> None:
    standing = replace(SETTLED, failures=failures)
    assert timedelta() < pause(failed(standing, wait)) <= timedelta(days=14)
    asked = Asked(ttl=ttl, fresh_for=wait, skip_hours=hours, skip_days=days)
    assert timedelta() < pause(listed(standing, asked)) <= timedelta(days=14)
