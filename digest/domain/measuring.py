"""What is measured of readers who agreed to it: that they opened a mail, and which links they followed."""

from __future__ import annotations

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
