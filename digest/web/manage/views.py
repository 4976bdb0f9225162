"""What the managing templates are given: frozen values in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """Something a newsletter needs before its first issue.

    `path` leads to the page where it is done, below the newsletter's own; '' where a `command` does it.
    """

    words: str
    is_done: bool
    path: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A newsletter among those that are kept. `trouble` counts sources that fail, `stages` what it needs."""

    slug: str
    name: str
    sender: str
    sources: str
    topics: str
    trouble: str
    stages: tuple[Stage, ...]
    has_issues: bool

    @property
    def next_stage(self) -> Stage | None:
        """What it needs first, None when nothing is left to do."""
        return next((stage for stage in self.stages if not stage.is_done), None)
