"""What readers say of the articles they were sent, and what that weighs in the choice of the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

COUNTS_FOR = timedelta(days=90)
"""What was said longer ago weighs nothing any more: sources change."""

DOUBT = 10
"""Answers in doubt that are added to those there are: two friendly readers are not yet everybody."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """How many readers said that something was useful to them, and how many that it was not."""

    useful: int = 0
    not_useful: int = 0

    @property
    def count(self) -> int:
        """How many said anything."""
        return self.useful + self.not_useful

    @property
    def leaning(self) -> float:
        """Where they lean, from -1 to 1: the closer to 0, the fewer they are or the less they agree."""
        return (self.useful - self.not_useful) / (self.count + DOUBT)
