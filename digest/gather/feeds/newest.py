"""A backlog cut down to what is worth reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from heapq import nlargest
from typing import TypeVar

from digest.gather.dates import instant_of

MAX_ENTRIES = 5_000

Item = TypeVar("Item")

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def newest(items: Sequence[Item], date_of: Callable[[Item], str], most: int = MAX_ENTRIES) -> list[Item]:
    """Return at most `most` items in their order: those with the latest date as it is written.

    Items without a date come after all others; of equals the first stay, as feeds begin with the newest.
    """
    if len(items) <= most:
        return list(items)
    ages = [(instant_of(date_of(item)) or _LONG_AGO, -place) for place, item in enumerate(items)]
    return [items[place] for place in sorted(-place for _, place in nlargest(most, ages))]
