"""What templates are given: frozen, in words, and nothing that could ask the database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from digest.domain.accounts import Right
from digest.domain.issues import OtherSource
from digest.domain.topics import TopicSlug


class Tone(StrEnum):
    """How a state feels; the words say the same, so nobody needs to see the colour."""

    WAITING = "waiting"
    GOING = "going"
    DONE = "done"
    OVER = "over"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class State:
    """A state in words."""

    words: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Figure:
    """How many of what: `1,204`, `accepted`."""

    count: str
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do next: why, the command that does it, and the page that does, too, '' for none."""

    why: str
    command: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a send is over."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class IssueLine:
    """An issue in a list. `note` tells of its stop or approval; `progress` is set during a send.

    Without `is_counted` its mails are being counted, and figures and progress are missing.
    """

    id: int
    days: str
    state: State
    articles: str
    note: str
    figures: tuple[Figure, ...]
    progress: Progress | None
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class ComingView:
    """The issue that a schedule makes next. `number` is None while no article has come in for it.

    `told` says how far it is, `path` where it is looked at, `goes` when and what lets it go out.
    """

    number: int | None
    path: str
    days: str
    told: str
    closes: str
    goes: str


@dataclass(frozen=True, slots=True)
class NeedView:
    """Something that waits for a person: what, of which newsletter, and where it is decided.

    `action` is what is done there by who has the `right`; everybody else may look at it.
    """

    what: str
    newsletter: str
    path: str
    action: str
    right: Right = Right.SHAPE


@dataclass(frozen=True, slots=True)
class NewsletterView:
    """A newsletter with its newest issues. `earlier` counts those left out, `steps` lead to a first issue.

    `coming` are its next issues by its schedules, `unscheduled` is the command that gives it one.
    """

    slug: str
    name: str
    about: str
    coming: tuple[ComingView, ...]
    unscheduled: str
    issues: tuple[IssueLine, ...]
    earlier: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ItemView:
    """An article of an issue. `url` is None when its link is not safe to follow."""

    title: str
    url: str | None
    source: str
    day: str
    minutes: int
    language: str | None
    topics: tuple[str, ...]
    takeaways: tuple[str, ...]
    also: tuple[OtherSource, ...]


@dataclass(frozen=True, slots=True)
class TopicView:
    """A topic to tick. `count` is how many articles of the issue belong to it, '' where that is no matter."""

    slug: TopicSlug
    name: str
    description: str
    is_ticked: bool
    count: str = ""


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue as its editor sees it.

    `has_changed` says that articles changed after the approval, so `items` are not quite what is sent.
    `holds` are sentences on what keeps its mails from leaving, while it is being sent. `leaves` says when an
    approved one goes out, `limits` whom it is for, '' for everybody.
    """

    line: IssueLine
    newsletter: str
    newsletter_slug: str
    intro: str
    approved: str
    leaves: str
    audience: str
    skips: tuple[Figure, ...]
    items: tuple[ItemView, ...]
    has_changed: bool
    steps: tuple[Step, ...]
    holds: tuple[str, ...]
    is_draft: bool
    limits: str = ""


@dataclass(frozen=True, slots=True)
class FindingView:
    """Something that a check found. `concerns`: how many editions and readers, '' for the issue itself.

    `mended_at` is the page on which it is put right, '' where no page does.
    """

    severity: str
    what: str
    where: str
    next_step: str
    concerns: str
    mended_at: str = ""


@dataclass(frozen=True, slots=True)
class ChecksView:
    """What the checks of all editions found: what is `pressing`, and `notes`, both the worst first.

    `summary` counts it, `looked` says when links and pictures were looked at, `command` does that.
    """

    summary: str
    looked: str
    command: str
    pressing: tuple[FindingView, ...]
    notes: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class ReaderView:
    """A subscription as its reader sees it.

    `sender` is the address the newsletter comes from, `is_suppressed` says that no mail goes to theirs.
    `languages` are those to speak in, the best first; `written_in` is that of the newsletter. `sign_up` names
    its sign-up page, '' where it has none.
    """

    newsletter: str
    sender: str
    email: str
    is_unsubscribed: bool
    is_paused: bool
    is_suppressed: bool
    topics: tuple[TopicView, ...]
    unsubscribe_token: str
    languages: tuple[str, ...]
    written_in: str
    sign_up: str = ""

    @property
    def followed(self) -> tuple[str, ...]:
        """The names of the topics they follow."""
        return tuple(topic.name for topic in self.topics if topic.is_ticked)


@dataclass(frozen=True, slots=True)
class ErrorView:
    """What went wrong and what to do."""

    title: str
    words: str
