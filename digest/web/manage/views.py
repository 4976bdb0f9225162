"""What the managing templates are given: frozen values in words."""

from __future__ import annotations

from dataclasses import dataclass

from digest.web.views import State


@dataclass(frozen=True, slots=True)
class Stage:
    """Something a newsletter needs before its first issue.

    `path` leads to the page where it is done; '' where a `command` does it.
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


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to know of a thing, and what it is called."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source among others: how it stands, when it was read and is next ('' never), what it brought."""

    id: int
    name: str
    url: str
    kind: str
    state: State
    words: str
    read: str
    next: str
    brought: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class PollView:
    """How a poll went that somebody watched: `counts` of articles, `problems` of single ones."""

    words: str
    is_well: bool
    counts: tuple[str, ...]
    problems: tuple[str, ...]
    notice: str


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A feed or sitemap that was found. `add` is the query of the form that adds it, '' when none can."""

    title: str
    url: str
    about: str
    carries: str
    add: str


@dataclass(frozen=True, slots=True)
class ImportView:
    """What became of each line of a list."""

    added: tuple[str, ...]
    known: tuple[str, ...]
    problems: tuple[str, ...]
    loose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TopicLine:
    """A topic in the order of sections. `rule` is a query; `up` and `down` are orders, '' at an end."""

    slug: str
    name: str
    part_of: str
    rule: str
    followers: str
    up: str
    down: str


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """A segment among others: how many readers it fits in words, and when they were counted."""

    slug: str
    name: str
    query: str
    readers: str


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """A reader among others, by number; `standing` is their state, '' for active."""

    id: int
    email: str
    name: str
    standing: str
    follows: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    """Whom a question fits, in words, and a few of them; `how` says how that is known."""

    words: str
    how: str
    readers: tuple[ReaderLine, ...]


@dataclass(frozen=True, slots=True)
class TrialLine:
    """An article that a rule matches. `sign` is + for gained, − for lost, '' for neither."""

    sign: str
    score: str
    title: str
    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class TrialView:
    """What a rule does to the articles of the last days and to the coming issue; `more` are not shown."""

    words: str
    lines: tuple[TrialLine, ...]
    more: str
    into: tuple[str, ...]
    out_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """How a colour of text stands out from its page, as in 7.1:1, and whether that is enough to read it."""

    name: str
    scheme: str
    ratio: str
    is_enough: bool


@dataclass(frozen=True, slots=True)
class PhraseView:
    """A phrase that mail says: its usual words, what is filled in, and the fields of the newsletter's own.

    `keys` are the fields' names, each with the plural category it is for: `other` alone for most.
    """

    name: str
    usual: str
    keys: tuple[tuple[str, str], ...]
    fills: str
    problem: str
