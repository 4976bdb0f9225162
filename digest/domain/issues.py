"""An issue is one newsletter's week; an edition is the issue as one mix of followed topics sees it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from digest.domain.articles import Image
from digest.domain.newsletters import NewsletterId
from digest.domain.times import Window
from digest.domain.topics import TopicSlug

IssueId = NewType("IssueId", int)


class IssueState(StrEnum):
    """Where an issue stands. `CHANGES` says which step may follow which."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"


CHANGES: dict[IssueState, frozenset[IssueState]] = {
    IssueState.DRAFT: frozenset({IssueState.APPROVED, IssueState.CANCELLED}),
    IssueState.APPROVED: frozenset(
        {IssueState.DRAFT, IssueState.SENDING, IssueState.PAUSED, IssueState.CANCELLED}
    ),
    IssueState.SENDING: frozenset({IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED}),
    # Back to where it was: an issue that was never addressed is approved again, not being sent.
    IssueState.PAUSED: frozenset({IssueState.APPROVED, IssueState.SENDING, IssueState.CANCELLED}),
    # Evidence may show that a delivery of unknown outcome never arrived, and what failed may be sent again.
    IssueState.SENT: frozenset({IssueState.SENDING}),
    IssueState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it stands: whose, about when, in which state.

    `revision` counts approvals; `content_hash` is the SHA-256 of the pieces the last approval froze, ''
    while there was none. `note` says why it is paused or cancelled, or was approved despite errors. `number`
    is the one it was approved with, 0 while it has none; `is_hidden` says that it was taken out of the public
    archive. `awaits_hour` says that it was approved before its schedule's run, which lets it go.
    """

    id: IssueId
    newsletter_id: NewsletterId
    window: Window
    state: IssueState
    subject: str = ""
    preheader: str = ""
    intro: str = ""
    revision: int = 0
    content_hash: str = ""
    note: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    sending_at: datetime | None = None
    number: int = 0
    is_hidden: bool = False
    awaits_hour: bool = False


@dataclass(frozen=True, slots=True)
class OtherSource:
    """Another report of the same story."""

    source: str
    url: str


@dataclass(frozen=True, slots=True)
class Item:
    """One article in an issue, as its readers see it.

    `position` counts from 0 in the issue's order and names the item within the issue. `topics` are in
    falling score, never empty: an article of no topic reaches nobody and is left out of the issue.
    """

    position: int
    url: str
    title: str
    source: str
    takeaways: tuple[str, ...]
    topics: tuple[TopicSlug, ...]
    published_on: date
    reading_minutes: int
    language: str | None = None
    image: Image | None = None
    also: tuple[OtherSource, ...] = ()


@dataclass(frozen=True, slots=True)
class IssueTopic:
    """A topic's name as this issue prints it."""

    slug: TopicSlug
    name: str


@dataclass(frozen=True, slots=True)
class IssueContent:
    """All that an issue says: what an editor approves and what the template is given.

    `topics` are in the newsletter's order and hold every topic an item names. `subject` is '' until an
    editor writes one: then each edition names its own first article (see `subject_for`). `preheader`
    works the same way. `first_day` and `last_day` are the local dates the window covers. `number` counts
    the newsletter's issues from 1, in the order of their approval; 0 when it has none yet. `id` is the
    issue's, 0 for a sample.
    """

    newsletter: str
    language: str
    first_day: date
    last_day: date
    sender_name: str
    postal_address: str
    topics: tuple[IssueTopic, ...]
    items: tuple[Item, ...]
    subject: str = ""
    preheader: str = ""
    intro: str = ""
    number: int = 0
    id: IssueId = IssueId(0)

    @property
    def addresses(self) -> tuple[frozenset[str], ...]:
        """What each item tells: the addresses of its article and of the other reports of its story."""
        return tuple(frozenset({item.url, *(other.url for other in item.also)}) for item in self.items)

    @property
    def sources(self) -> tuple[str, ...]:
        """What each item's source is called."""
        return tuple(item.source for item in self.items)

    @property
    def outline(self) -> Outline:
        """Which topics each item belongs to."""
        return Outline(tuple(topic.slug for topic in self.topics), tuple(item.topics for item in self.items))


@dataclass(frozen=True, slots=True)
class Outline:
    """All of an issue that decides who gets what: its topics in order, and each item's in falling score."""

    topics: tuple[TopicSlug, ...]
    items: tuple[tuple[TopicSlug, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One topic of an edition, and the positions of the items shown under it, in order."""

    topic: TopicSlug
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """What one mix of followed topics sees: sections in the newsletter's order. No sections: send nothing.

    Two readers with the same edition get the same mail, but for their personal links. `most` is how many of
    its items the mail may hold, the best; the others are online only. None: all that there is room for.
    `is_text` is mailed without HTML; `is_measured` goes to readers who agreed to be measured.
    """

    sections: tuple[Section, ...]
    most: int | None = None
    is_text: bool = False
    is_measured: bool = False

    @property
    def positions(self) -> tuple[int, ...]:
        """Every item shown, in reading order. None stands twice."""
        return tuple(position for section in self.sections for position in section.positions)

    @property
    def wanted(self) -> frozenset[int]:
        """The items that the mail is to hold: the best, as an issue is in the order of its items' rank."""
        return frozenset(sorted(self.positions)[: self.most])

    @property
    def key(self) -> str:
        """A short text that names the edition within its issue: `climate:0,4;space:2`.

        Of the best two articles it ends in `|2`, without HTML in `|text`, measured in `|measured`.
        """
        sections = ";".join(f"{s.topic}:{','.join(map(str, s.positions))}" for s in self.sections)
        most = "" if self.most is None else f"|{self.most}"
        return f"{sections}{most}{_TEXT if self.is_text else ''}{MEASURED if self.is_measured else ''}"

    @classmethod
    def from_key(cls, key: str) -> Edition:
        """Return the edition that `key` names. Raises `ValueError` when it is not a key."""
        shared = key.removesuffix(MEASURED)
        sections, _, most = shared.removesuffix(_TEXT).partition("|")
        found = tuple(_section_from_key(part) for part in sections.split(";") if part)
        return cls(found, int(most) if most else None, shared.endswith(_TEXT), key.endswith(MEASURED))


_TEXT = "|text"
MEASURED = "|measured"
"""What the keys of editions end in that are measured."""


def _section_from_key(part: str) -> Section:
    topic, _, positions = part.partition(":")
    return Section(TopicSlug(topic), tuple(int(position) for position in positions.split(",")))


def edition_for(
    outline: Outline,
    follows: Collection[TopicSlug],
    *,
    most: int | None = None,
    without: Collection[int] = (),
    single: Collection[TopicSlug] = (),
) -> Edition:
    """Return what a reader of `follows` sees of an issue, `without` some of its positions.

    Of each topic in `single` they see the best article alone.

    An item that several followed topics share is shown once, under the one it fits best. Sections are
    in the newsletter's order, items in the issue's own. An empty edition means "send nothing": no
    follows is never read as "everything". Whoever gets no more than `most` has the edition of those who
    want all.
    """
    shown: dict[TopicSlug, list[int]] = {}
    for position, topics in enumerate(outline.items):
        topic = next((topic for topic in topics if topic in follows), None)
        if topic is None or position in without or (topic in single and topic in shown):
            continue
        shown.setdefault(topic, []).append(position)
    sections = tuple(Section(topic, tuple(shown[topic])) for topic in outline.topics if topic in shown)
    is_cut = most is not None and sum(map(len, shown.values())) > most
    return Edition(sections, most if is_cut else None)
