"""What a reading of a page rests on: what was found where, what was believed, what was left out, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something a page says of its article: `value` as it is read, `where` it stands.

    `why` tells in words why it was or was not believed; '' when nothing was said against it and another one
    came first.
    """

    where: str
    value: str
    is_believed: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A part of the page that is not in the text: why, how it begins, and how many words it had."""

    reason: str
    beginning: str
    words: int
