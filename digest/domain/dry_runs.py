"""A dry run that somebody asked for: what a run would come to, worked out beside and thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from digest.domain.newsletters import NewsletterId
from digest.domain.schedules import ScheduleId
from digest.domain.times import Window

DryRunId = NewType("DryRunId", int)


@dataclass(frozen=True, slots=True)
class SourceFound:
    """How one source was read: how many articles it listed, how many of them are new, what was wrong."""

    source: str
    listed: int
    new: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class ItemFound:
    """An article that the issue would hold, with the names of its topics, the strongest first."""

    title: str
    source: str
    topics: tuple[str, ...]
    takeaways: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a dry run found. `note` says in words how it ended.

    `articles` are those of the days, `stories` what they tell of. `topics` are names with how many of
    the issue's articles a reader of them gets, `left_out` why how many are not in it. `readers` get one
    article, 2 to 5, or more; `skipped` get nothing, by reason. So many or more of these `spared` the issue
    leaves out as they read no more, told in twenties; None: it leaves out none such. `checks` is what the
    checks find, as JSON; `errors` of that are errors.
    """

    note: str
    gathered: str = ""
    condensed: str = ""
    sources: tuple[SourceFound, ...] = ()
    articles: int = 0
    stories: int = 0
    topics: tuple[tuple[str, int], ...] = ()
    items: tuple[ItemFound, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    readers: tuple[int, int, int] = (0, 0, 0)
    skipped: Mapping[str, int] = field(default_factory=dict)
    spared: int | None = None
    checks: Mapping[str, object] | None = None
    errors: int = 0


@dataclass(frozen=True, slots=True)
class DryRun:
    """A dry run of a newsletter's days. `began_at` is when a worker last took it up.

    It is over with `ended_at`: `found` is what it came to, or `problem` says why it came to nothing.
    """

    id: DryRunId
    newsletter_id: NewsletterId
    schedule_id: ScheduleId | None
    window: Window
    asked_by: str
    asked_at: datetime
    began_at: datetime | None = None
    ended_at: datetime | None = None
    found: Found | None = None
    problem: str = ""
