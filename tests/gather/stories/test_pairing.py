from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digest.gather.stories.pairing import distinct, keyed, shared_worth

OWNED = st.lists(st.sets(st.integers(0, 30), max_size=8), max_size=12)


def keys(owned: list[set[int]]) -> np.ndarray:
    each = [keyed(np.array(sorted(own), np.uint32), owner) for owner, own in enumerate(owned)]
    return np.concatenate([np.zeros(0, np.uint64), *each])


@given(OWNED)
def test_what_a_pair_shares_is_counted(owned: list[set[int]]) -> None:
    found = shared_worth([keys(owned)])
    counted = dict(zip(zip(found.one.tolist(), found.other.tolist(), strict=True), found.worth, strict=True))
    pairs = combinations(range(len(owned)), 2)
    assert counted == {(a, b): len(owned[a] & owned[b]) for a, b in pairs if owned[a] & owned[b]}


@given(OWNED)
def test_features_may_come_in_parts_and_have_a_worth(owned: list[set[int]]) -> None:
    parts = [keys([{feature for feature in own if feature % 2 == part} for own in owned]) for part in (0, 1)]
    worth = np.arange(31, dtype=np.uint64) * np.uint64(100)
    found = shared_worth(parts, worth)
    expected: Counter[tuple[int, int]] = Counter()
    for a, b in combinations(range(len(owned)), 2):
        expected[a, b] = 100 * sum(owned[a] & owned[b])
    for one, other, value in zip(found.one, found.other, found.worth, strict=True):
        assert expected[one, other] == value


def test_what_thousands_have_in_common_ties_neighbours_only() -> None:
    crowd = [{1} for _ in range(5000)]
    found = shared_worth([keys(crowd)], budget=10_000)
    assert len(found.one) < 20_000
    assert {(number, number + 1) for number in range(4999)} <= set(zip(found.one, found.other, strict=True))


@given(st.lists(st.integers(0, 50)))
def test_distinct_values_are_sorted(values: list[int]) -> None:
    assert distinct(np.array(values, np.uint32)).tolist() == sorted(set(values))
