"""How much text articles have in common: what one took from another, or both from an agency.

Counted in shingles, runs of three words. On abridged news the share of the shorter text's shingles that
stand in the longer one tells better than MinHash and simhash do, which miss what was cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from digest.gather.pairing import Keys, count_shared, keyed
from digest.gather.wording import STOP, Ids, Traits, Wording

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
        self._words = [traits.folded[wording.text] for wording in wordings]
        self._words = [words[words != STOP] for words in self._words]
        self._sizes = np.array([len(self._shingles(index)) for index in range(len(wordings))], np.int64)

    def _shingles(self, index: int) -> Shingles:
        """Return the distinct shingles of an article, sorted."""
        return np.unique(_hashed(self._words[index]))

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs, lower first, that may share half of the shorter one's text."""
        found = count_shared(self._part(part) for part in range(_PARTS))
        shorter = np.minimum(self._sizes[found.one], self._sizes[found.other])
        found = found.where(found.shared >= np.maximum(2, _WORTH_A_LOOK * shorter))
        yield from zip(found.one.tolist(), found.other.tolist(), strict=True)

    def _part(self, part: int) -> Keys:
        keys = [np.zeros(0, np.uint64)]
        for owner, words in enumerate(self._words):
            if self._sizes[owner] >= MIN_SHINGLES:
                shingles = _hashed(words)
                keys.append(keyed(shingles[shingles % _PARTS == part], owner))
        return np.concatenate(keys)

    def containment(self, one: int, other: int) -> float:
        """Return the share of the shorter article's shingles that the longer one has; 0 for too short ones."""
        shorter = min(self._sizes[one], self._sizes[other])
        if shorter < MIN_SHINGLES:
            return 0.0
        common = np.intersect1d(self._shingles(one), self._shingles(other), assume_unique=True)
        return len(common) / int(shorter)

    def is_copy(self, one: int, other: int) -> bool:
        """Return whether two texts are one: nearly all of the shorter is the longer, or how the longer begins."""
        if self.containment(one, other) < COPIED:
            return False
        shorter, longer = sorted((self._words[one], self._words[other]), key=len)
        if len(shorter) >= SIMILAR_LENGTH * len(longer):
            return True
        opening = longer[: round(len(shorter) / SIMILAR_LENGTH)]
        own = np.unique(_hashed(shorter))
        return len(np.intersect1d(own, np.unique(_hashed(opening)), assume_unique=True)) >= COPIED * len(own)


def _hashed(words: Ids) -> Shingles:
    """Return a number for each three words in a row, with repeats. One in a thousand is not its own."""
    own = words.astype(np.uint32)
    mixed = (own[:-2] * _FIRST + own[1:-1]) * _SECOND + own[2:] * _FIRST if len(own) > 2 else own[:0]
    mixed ^= mixed >> np.uint32(15)
    return mixed * _SECOND
