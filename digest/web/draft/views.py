"""What the draft's templates are given: frozen, in words, and nothing that could ask the database."""

from __future__ import annotations

from dataclasses import dataclass

from digest.web.views import State


@dataclass(frozen=True, slots=True)
class HeadView:
    """Which issue it is. `approved` is who approved it, which a change takes back."""

    id: int
    days: str
    newsletter: str
    newsletter_slug: str
    state: State
    approved: str
    can_shape: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """Something to write. `seen` is the mark of `value`; `longest` is in characters, None for any."""

    name: str
    label: str
    hint: str
    value: str
    seen: str
    placeholder: str = ""
    longest: int | None = None
    lines: int = 1
    article_id: int | None = None


@dataclass(frozen=True, slots=True)
class ReportView:
    """Another report of a story."""

    id: int
    title: str
    source: str
    url: str | None


@dataclass(frozen=True, slots=True)
class SupportView:
    """A takeaway, who wrote it, and the sentences of the article that bear it out."""

    text: str
    origin: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardView:
    """An article of the draft. `theirs` is its publisher's headline where an editor wrote another."""

    id: int
    title: str
    theirs: str
    url: str | None
    about: str
    language: str | None
    takeaways: tuple[str, ...]
    why_none: str
    topics: tuple[str, ...]
    score: str
    why: tuple[str, ...]
    notes: tuple[str, ...]
    others: tuple[ReportView, ...]
    is_pinned: bool
    is_first: bool
    is_last: bool
    seen: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A topic and its articles. `slug` is '' for those that belong to none."""

    slug: str
    name: str
    count: str
    cards: tuple[CardView, ...]


@dataclass(frozen=True, slots=True)
class DroppedView:
    """An article that an editor dropped."""

    id: int
    title: str
    by: str
    seen: str


@dataclass(frozen=True, slots=True)
class BarView:
    """What was done: by how many changes, and what whoever looks may undo and redo next, in words."""

    last: int
    held: str
    changes: str
    undo: str
    redo: str


@dataclass(frozen=True, slots=True)
class BoardView:
    """All articles of a draft, what was dropped, and what was done."""

    bar: BarView
    sections: tuple[SectionView, ...]
    dropped: tuple[DroppedView, ...]
    count: str


@dataclass(frozen=True, slots=True)
class TopicView:
    """A topic to choose."""

    slug: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class LeftOutView:
    """An article that is not in the draft, and why."""

    id: int
    title: str
    reason: str
    seen: str
    is_dropped: bool


@dataclass(frozen=True, slots=True)
class OthersView:
    """What is not in the draft, the first of it, and the topics that an added article may have."""

    topics: tuple[TopicView, ...]
    shown: tuple[LeftOutView, ...]
    count: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article to work on, with what its publisher or the program said of it."""

    card: CardView
    headline: FieldView
    takeaways: FieldView
    topic: FieldView
    topics: tuple[TopicView, ...]
    support: tuple[SupportView, ...]
    before: tuple[SupportView, ...]
    edited_by: str


@dataclass(frozen=True, slots=True)
class MergeView:
    """Two editors changed the same thing: what the other wrote, and what this one did."""

    field: FieldView
    by: str
    at: str
    theirs: str
    mark_of_theirs: str


@dataclass(frozen=True, slots=True)
class ActView:
    """Something that was done, as history tells it."""

    number: int
    at: str
    by: str
    what: str
    before: str
    after: str
    can_undo: bool
