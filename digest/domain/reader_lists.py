"""A list of readers that somebody uploaded: tried first, then brought in, both by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from digest.domain.newsletters import NewsletterId

CONTENT_MAX = 64 * 1024 * 1024
"""Bytes of a file: some 700,000 lines. A zip of it holds five times that."""

ReaderListId = NewType("ReaderListId", int)


class ListStage(StrEnum):
    """What is done with a list: only looked at, or brought in."""

    TRIAL = "trial"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class ListTerms:
    """How a list is to be taken: by which program it was written, '' to find that out.

    `tags` leads its words to topics, '' leaves one out; `topics` are for everybody on it; `columns` says
    which of ours another name stands for. `skips_wrong` leaves lines out that are wrong.
    """

    program: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    skips_wrong: bool = False


@dataclass(frozen=True, slots=True)
class ListTold:
    """What a trial or an import came to: lines by outcome, sentences, lines by tags that lead nowhere.

    `without_topic` are new readers who would follow nothing.
    """

    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    unknown_tags: Mapping[str, int] = field(default_factory=dict)
    without_topic: int = 0


@dataclass(frozen=True, slots=True)
class ReaderList:
    """A list as it stands. `done` of `total` lines are read or stored, None: nobody knows how many.

    It is over with `ended_at`: `told` is what it came to, or `problem` says why it came to nothing. The file
    itself goes once it was brought in, or after a day.
    """

    id: ReaderListId
    newsletter_id: NewsletterId
    file: str
    asked_by: str
    asked_at: datetime
    stage: ListStage
    terms: ListTerms
    done: int = 0
    total: int | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    told: ListTold | None = None
    problem: str = ""
    has_file: bool = True
