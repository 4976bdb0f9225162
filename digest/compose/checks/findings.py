"""What a check finds, as data: how bad, what, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """An error must keep a page from being sent; a warning is an editor's to judge; a note is to be known."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: how bad, what, where on the page or in the issue, and what to do ('' for nothing).

    Findings of one `kind` say the same with other figures: of several the one of the highest `degree` speaks
    for all. A finding without a kind speaks for itself.
    """

    severity: Severity
    what: str
    where: str
    next_step: str = ""
    kind: str = field(default="", compare=False)
    degree: float = field(default=0.0, compare=False)


def error(what: str, where: str = "html", next_step: str = "") -> Finding:
    """Return an error."""
    return Finding(Severity.ERROR, what, where, next_step)


def warning(what: str, where: str = "html", next_step: str = "") -> Finding:
    """Return a warning."""
    return Finding(Severity.WARNING, what, where, next_step)


def note(what: str, where: str = "html", next_step: str = "") -> Finding:
    """Return a note."""
    return Finding(Severity.NOTE, what, where, next_step)
