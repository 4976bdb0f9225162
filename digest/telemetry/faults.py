"""Faults in Digest, told to whoever listens: nobody, unless settings name a Sentry."""

from __future__ import annotations

from typing import Protocol, Unpack

from digest.telemetry.facts import Facts


class Reporter(Protocol):
    """Takes faults."""

    def fault(self, error: BaseException, facts: Facts) -> None:
        """Tell of an error that nobody expected. What it says is not told: it may be a reader's."""


_reporter: Reporter | None = None


def listen(reporter: Reporter | None) -> None:
    """Have what follows told to `reporter`, None for nobody."""
    global _reporter
    _reporter = reporter


def tell_fault(fault: BaseException, /, **facts: Unpack[Facts]) -> None:
    """Tell of an error that nobody expected, if somebody listens."""
    if _reporter is not None:
        _reporter.fault(fault, facts)
