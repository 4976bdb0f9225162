"""Subjects that an issue's own headlines suggest: no word is added, so they are in its language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from digest.domain.topics import TopicSlug

LONGEST = 78
"""Characters. Inboxes show 40 to 80 of a subject; RFC 5322 §2.1.1 wants lines of 78 at most."""

SUGGESTED = 4

_SHORT, _SHORTEST = 42, 8
_BREAKS = re.compile(r"[:;,|?!.]\s|\s[–—|-]\s")


@dataclass(frozen=True, slots=True)
class Headed:
    """An article's headline, and the topic it stands under."""

    headline: str
    topic: TopicSlug


def subjects_of(items: Sequence[Headed]) -> tuple[str, ...]:
    """Return up to `SUGGESTED` subjects, the plainest first; none where no headline is short enough.

    They are the first headline, those of several topics beside each other, and the first of another topic.
    """
    leads = list(_leads(items))
    short = [told for told in map(shortened, leads) if told]
    wanted = [*leads[:1], *_joined(short, " · ", 3), *_joined(short, ", ", 2), *leads[1:]]
    fitting = (told for told in dict.fromkeys(wanted) if len(told) <= LONGEST)
    return tuple(islice(fitting, SUGGESTED))


def shortened(headline: str) -> str:
    """Return a headline, or its first part, where that is short enough to stand beside others; else ''."""
    if len(headline) <= _SHORT:
        return headline.rstrip(".")
    part = _BREAKS.split(headline, maxsplit=1)[0].strip()
    return part if _SHORTEST <= len(part) <= _SHORT else ""


def _leads(items: Sequence[Headed]) -> Iterator[str]:
    """Yield the headline of each topic's first article, in the issue's order."""
    seen = set()
    for item in items:
        if item.topic not in seen:
            seen.add(item.topic)
            yield " ".join(item.headline.split())


def _joined(short: Sequence[str], between: str, count: int) -> list[str]:
    return [between.join(short[:count])] if len(short) >= count else []
