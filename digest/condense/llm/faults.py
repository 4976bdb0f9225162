"""What went wrong when a model was asked, in an editor's words, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

_TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}


class Action(Enum):
    """What is done after a fault."""

    AGAIN = auto()
    """Wait and ask again."""
    ONCE_MORE = auto()
    """The answer is no use. The next one may be, but each is paid for: ask one more time."""
    SIMPLER = auto()
    """The server does not take the request: ask for less."""
    LEAVE = auto()
    """This article has to do without."""
    STOP = auto()
    """No article of this run will fare better: ask no more."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One attempt that came to nothing.

    `words` is a clause such as "the model answered 429". `wait` is how long the server asks to be left
    alone. `may_cost` tells that the model may have written, and is to be paid, though nothing arrived;
    `blames_model` that too many of these in a row mean the model is out of order.
    """

    words: str
    action: Action
    wait: timedelta | None = None
    may_cost: bool = False
    blames_model: bool = True


def told(faults: Sequence[Fault]) -> str:
    """Say what several attempts came to (at least one), the last one's words first."""
    words = faults[-1].words
    if len(faults) == 1:
        return words
    if all(fault.words == words for fault in faults):
        return f"{words} {_TIMES.get(len(faults), f'{len(faults)} times')}"
    return f"{words}, after {len(faults)} attempts"
