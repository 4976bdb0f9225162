"""How a run is watched while it goes on."""

from __future__ import annotations

from typing import Protocol

from digest.domain.deliveries import Outcome
from digest.domain.schedules import Stage
from digest.gather.polled import Polled


class Watch(Protocol):
    """Is told how a run goes on; the command line draws it."""

    def begin(self, stage: Stage, total: int | None = None) -> None:
        """Note that a stage begins; `total` steps are known, or None."""

    def step(self, what: Polled | Outcome | None = None) -> None:
        """Note that one step of the stage is done."""


class Unwatched:
    """Nobody looks."""

    def begin(self, stage: Stage, total: int | None = None) -> None:
        """Say nothing."""

    def step(self, what: Polled | Outcome | None = None) -> None:
        """Say nothing."""
