"""Which of many articles have something in common, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Places = NDArray[np.int64]

BUDGET = 4_000_000
"""Sharings that are counted, 8 bytes each: 32 MB, whatever the articles are."""

_OWNER_BITS = np.uint64(32)
_OWNER = np.uint64(2**32 - 1)
_MAX_REACH = 64


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of owners (`one` < `other`) and how many features each was found to share."""

    one: Places
    other: Places
    shared: Places

    def where(self, kept: NDArray[np.bool_]) -> Pairs:
        """Return those pairs that are marked."""
        return Pairs(self.one[kept], self.other[kept], self.shared[kept])


def keyed(features: NDArray[np.uint32], owner: int) -> Keys:
    """Return `features` of one owner in the form that `count_shared` takes."""
    return (features.astype(np.uint64) << _OWNER_BITS) | np.uint64(owner)


def count_shared(parts: Iterable[Keys], *, budget: int = BUDGET) -> Pairs:
    """Return the pairs of owners that have features in common, and how many.

    Each part holds all owners of the features that it has. A feature ties each of its owners to the next
    ones in the order of their numbers, so what a thousand articles have in common costs a thousand times
    a few, not a million: rare features are counted in full, common ones among neighbours, and the fewer
    the more there are of them.
    """
    parts = list(parts)
    found = [_ties(part, budget // max(1, len(parts))) for part in parts]
    ties = np.concatenate([*found, np.zeros(0, np.uint64)])
    ties.sort()
    starts = np.flatnonzero(np.concatenate([[len(ties) > 0], ties[1:] != ties[:-1]]))
    counts = np.diff(np.append(starts, len(ties)))
    pairs = ties[starts]
    return Pairs((pairs >> _OWNER_BITS).astype(np.int64), (pairs & _OWNER).astype(np.int64), counts)


def _ties(keys: Keys, budget: int) -> Keys:
    """Return each sharing as one number: the lower owner, then the higher."""
    keys = np.unique(keys)
    features = keys >> _OWNER_BITS
    twin = features[1:] == features[:-1]
    keys = keys[np.append(twin, False) | np.insert(twin, 0, False)] if len(keys) else keys
    features = (keys >> _OWNER_BITS).astype(np.uint32)
    owners = keys & _OWNER
    found: list[Keys] = []
    for reach in range(1, min(_MAX_REACH, len(keys))):
        same = np.flatnonzero(features[reach:] == features[:-reach])
        if not len(same) or budget <= 0:
            break
        found.append((owners[same] << _OWNER_BITS) | owners[same + reach])
        budget -= len(same)
    return np.concatenate([*found, np.zeros(0, np.uint64)])
