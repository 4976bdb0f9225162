"""How much of each article an edition shows: an issue gets denser as it grows, so that no mail is cut."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Density(StrEnum):
    """How an article is shown, from all there is down to a line."""

    FULL = "full"
    COMPACT = "compact"
    HEADLINE = "headline"


FULL_ITEMS, COMPACT_ITEMS, HEADLINE_ITEMS = 12, 18, 30
"""How many articles of an edition are shown in full, how many more compactly, how many more as headlines.

Those after them are online only. Best articles come first in an issue, so they keep the most room.
"""

MAIL_ROOM = 94_000
"""Bytes of HTML a mail's pieces may take: mail programs cut at 100,000, and readers' links come on top."""

Weights = tuple[int, int, int]
"""Bytes of HTML an article takes in full, compactly and as a headline."""

_SHOWN = (Density.FULL, Density.COMPACT, Density.HEADLINE, None)
_FULL, _COMPACT, _HEADLINE, _LEFT_OUT = range(4)
_BY_RANK = (_FULL,) * FULL_ITEMS + (_COMPACT,) * COMPACT_ITEMS + (_HEADLINE,) * HEADLINE_ITEMS

_STEPS = (_COMPACT, _FULL, _COMPACT, _HEADLINE)
"""What gives way to the next denser, in this order, when an edition is too heavy. Each step begins at the
last article."""


def lay_out(weights: Sequence[Weights], room: int | None) -> tuple[Density | None, ...]:
    """Return how each article of an edition is shown; None: online only. `weights` are best first.

    `room` is in bytes; None knows no limit and leaves nothing out, as a page on the web does. The first
    article is always shown, so no mail is empty; only that one may then be too heavy.
    """
    further = len(weights) - len(_BY_RANK)
    if room is None:
        return tuple(_SHOWN[level] for level in (*_BY_RANK[: len(weights)], *(_HEADLINE,) * further))
    levels = [*_BY_RANK[: len(weights)], *(_LEFT_OUT,) * further]
    excess = sum(sizes[level] for sizes, level in zip(weights, levels, strict=True) if level != _LEFT_OUT)
    _make_room(levels, weights, excess - room)
    return tuple(_SHOWN[level] for level in levels)


def _make_room(levels: list[int], weights: Sequence[Weights], excess: int) -> None:
    """Let articles of `levels` give way until `excess` bytes are gone."""
    for step in _STEPS:
        first = 1 if step == _HEADLINE else 0
        for rank in range(len(levels) - 1, first - 1, -1):
            if excess <= 0:
                return
            if levels[rank] == step:
                denser = 0 if step == _HEADLINE else weights[rank][step + 1]
                excess -= weights[rank][step] - denser
                levels[rank] += 1
