"""Which of many articles have something in common, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.int32, np.uint32, np.uint64)
Keys = NDArray[np.uint64]
Places = NDArray[np.int64]

BUDGET = 1_000_000
"""Sharings that are counted, 8 bytes each and up to thrice over: 24 MB, whatever the articles are."""

MAX_OWNERS = 2**24
MAX_WORTH = 2**16 - 1

# A key is a feature and its owner; a tie is the lower owner, the higher one and what the sharing is worth.
_FEATURE_BITS, _LOWER_BITS, _WORTH_BITS = np.uint64(32), np.uint64(40), np.uint64(16)
_OWNER = np.uint64(MAX_OWNERS - 1)
_MAX_REACH = 64
_NO_TIES = np.zeros(0, np.uint64)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of owners (`one` < `other`) and what the features that each was found to share are worth."""

    one: Places
    other: Places
    worth: Places

    def where(self, kept: NDArray[np.bool_]) -> Pairs:
        """Return those pairs that are marked."""
        return Pairs(self.one[kept], self.other[kept], self.worth[kept])


def keyed(features: NDArray[np.uint32], owner: int) -> Keys:
    """Return `features` of one owner in the form that `shared_worth` takes."""
    return (features.astype(np.uint64) << _FEATURE_BITS) | np.uint64(owner)


def shared_worth(
    parts: Iterable[Keys], worth: NDArray[np.uint64] | None = None, *, budget: int = BUDGET
) -> Pairs:
    """Return the pairs of owners that have features in common, and the sum of what these are worth.

    `worth` gives that by feature, up to 65,535; None counts 1 for each. Each part holds all owners of the
    features that it has. A feature ties each of its owners to the next ones in the order of their numbers,
    so what a thousand articles have in common costs a thousand times a few, not a million: rare features
    are counted in full, common ones among neighbours, and the fewer the more there are of them.
    """
    ties = np.concatenate([_NO_TIES, *(tie for part in parts for tie in _ties(part, worth, budget))])
    ties.sort()
    pairs = ties >> _WORTH_BITS
    starts = np.flatnonzero(np.concatenate([[len(ties) > 0], pairs[1:] != pairs[:-1]]))
    pairs = pairs[starts]
    ties &= np.uint64(MAX_WORTH)
    sums = np.add.reduceat(ties, starts) if len(starts) else ties
    lower = _LOWER_BITS - _WORTH_BITS
    return Pairs((pairs >> lower).astype(np.int64), (pairs & _OWNER).astype(np.int64), sums.astype(np.int64))


def _ties(keys: Keys, worth: NDArray[np.uint64] | None, budget: int) -> Iterator[Keys]:
    """Yield a tie for each sharing of a feature, nearest owners first, until `budget` is spent."""
    keys = distinct(keys)
    features = keys >> _FEATURE_BITS
    twin = features[1:] == features[:-1]
    is_shared = np.zeros(len(keys), np.bool_)
    is_shared[1:] |= twin
    is_shared[:-1] |= twin
    keys = keys[is_shared]
    features = (keys >> _FEATURE_BITS).astype(np.uint32)
    owners = keys & _OWNER
    for reach in range(1, min(_MAX_REACH, len(keys))):
        same = np.flatnonzero(features[reach:] == features[:-reach])
        if not len(same) or budget <= 0:
            break
        value = np.uint64(1) if worth is None else worth[features[same]]
        yield (owners[same] << _LOWER_BITS) | (owners[same + reach] << _WORTH_BITS) | value
        budget -= len(same)


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """Return the different values, sorted. numpy's own `unique` is many times slower on short arrays."""
    ordered = np.sort(values)
    is_first = np.ones(len(ordered), np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    found: NDArray[Number] = ordered[is_first]
    return found
