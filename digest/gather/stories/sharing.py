"""How much text articles have in common: what one took from another, or both from an agency.

Counted in shingles, runs of three words. On abridged news the share of the shorter text's shingles that
stand in the longer one tells better than MinHash and simhash do, which miss what was cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from digest.gather.stories.pairing import BUDGET, Keys, distinct, keyed, shared_worth
from digest.gather.stories.wording import STOP, Traits, Wording

Shingles = NDArray[np.uint32]

RETOLD = 0.5
"""The share of the shorter text from which on one of two texts was made from the other."""

COPIED = 0.9
SIMILAR_LENGTH = 0.8

# A dozen words can be a coincidence: a standing first line, a quotation.
MIN_SHINGLES = 12

# Work is done a fourth of all shingles at a time: all at once are 100 MB for 10,000 articles.
_PARTS = 4
# A pair that shares less of its rare shingles than this is not looked at more closely.
_WORTH_A_LOOK = 0.2

_FIRST, _SECOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77)


class Sharing:
    """The shingles of articles, in the order they were given."""

    def __init__(self, wordings: Sequence[Wording], traits: Traits) -> None:
        # In the order of the text, with repeats: how a text begins can be told from that.
        self._running = [_shingles(wording, traits) for wording in wordings]
        self._sizes = np.array([len(distinct(running)) for running in self._running], np.int64)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs, lower first, that may share half of the shorter one's text."""
        found = shared_worth((self._part(part) for part in range(_PARTS)), budget=BUDGET // _PARTS)
        shorter = np.minimum(self._sizes[found.one], self._sizes[found.other])
        found = found.where(found.worth >= np.maximum(2, _WORTH_A_LOOK * shorter))
        yield from zip(found.one.tolist(), found.other.tolist(), strict=True)

    def _part(self, part: int) -> Keys:
        keys = [np.zeros(0, np.uint64)]
        for owner, running in enumerate(self._running):
            if self._sizes[owner] >= MIN_SHINGLES:
                keys.append(keyed(running[running % _PARTS == part], owner))
        return np.concatenate(keys)

    def containment(self, one: int, other: int) -> float:
        """Return the share of the shorter article's shingles that the longer has; 0 for too short ones."""
        shorter = min(self._sizes[one], self._sizes[other])
        if shorter < MIN_SHINGLES:
            return 0.0
        return _common(self._running[one], self._running[other]) / int(shorter)

    def is_copy(self, one: int, other: int) -> bool:
        """Return whether two texts are one: the shorter is nearly all of the longer, or its beginning."""
        if self.containment(one, other) < COPIED:
            return False
        shorter, longer = sorted((self._running[one], self._running[other]), key=len)
        if len(shorter) >= SIMILAR_LENGTH * len(longer):
            return True
        opening = longer[: round(len(shorter) / SIMILAR_LENGTH)]
        return _common(shorter, opening) >= COPIED * len(distinct(shorter))


def _common(one: Shingles, other: Shingles) -> int:
    """Return how many different shingles two texts share."""
    both = np.sort(np.concatenate([distinct(one), distinct(other)]))
    return int(np.count_nonzero(both[1:] == both[:-1]))


def _shingles(wording: Wording, traits: Traits) -> Shingles:
    """Return a number for each three words in a row. One in a thousand is not its own."""
    words = traits.folded[wording.text]
    own = words[words != STOP].astype(np.uint32)
    mixed = (own[:-2] * _FIRST + own[1:-1]) * _SECOND + own[2:] * _FIRST if len(own) > 2 else own[:0]
    mixed ^= mixed >> np.uint32(15)
    shingles: Shingles = mixed * _SECOND
    return shingles
