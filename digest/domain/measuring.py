"""What is measured of readers who agreed to it: that they opened a mail, and which links they followed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Measuring(StrEnum):
    """Whether a newsletter asks its readers to let themselves be measured."""

    OFF = "off"
    """Nobody is asked, and nothing is measured of anybody, whatever they agreed to before."""
    ASKED = "asked"
    """Each reader is asked. Of those who agree it is measured what they open and follow."""

    @property
    def in_words(self) -> str:
        """What that means, as a person reads it."""
        return "nobody is asked" if self is Measuring.OFF else "of each reader who agrees to it"


LEAST = 20
"""Of fewer readers no rate is told: nobody is to be singled out."""


def in_steps(count: int) -> int:
    """Return a number of readers as it is told of what they read: in twenties, rounded down."""
    return count - count % LEAST


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of the readers who agreed to be measured, and were delivered to, did something.

    Never of all readers: of the others nothing is known.
    """

    did: int
    of: int

    @property
    def percent(self) -> int:
        """The share in hundredths, rounded."""
        return round(100 * self.did / self.of)

    @classmethod
    def told(cls, did: int, of: int) -> Rate | None:
        """Return a rate, None where so few agreed that it would speak of somebody."""
        return cls(min(did, of), of) if of >= LEAST else None
