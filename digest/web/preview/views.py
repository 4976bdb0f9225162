"""What the templates of previews are given: frozen, in words, and nothing that could ask the database."""

from __future__ import annotations

from dataclasses import dataclass

from digest.web.views import ChecksView, FindingView, State, TopicView


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """A group of links of which one leads to what is shown: words, address, and whether it is that one."""

    name: str
    links: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a form, told at the form that is called `place`; `offers` names a way on."""

    place: str
    words: str
    is_bad: bool = False
    offers: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """What an issue's approval wants and who had it in hand, in sentences.

    `why_not` says why the one who looks cannot approve it; `seen` is the hash of the pieces they look at;
    `leaves` says when an approved one goes out.
    """

    is_draft: bool
    rule: str
    told: tuple[str, ...]
    why_not: str
    can_approve: bool
    can_ask: bool
    can_send_now: bool
    can_take_back: bool
    seen: str
    approved: str
    leaves: str
    note: str


@dataclass(frozen=True, slots=True)
class ReaderFound:
    """A subscriber that was looked for; `state` is '' for one who gets mail."""

    email: str
    state: str
    address: str


@dataclass(frozen=True, slots=True)
class SearchView:
    """Subscribers whose address has `text`, '' where nobody was looked for; `more` is where they go on.

    `exact` is the one whose address it is.
    """

    text: str
    exact: str = ""
    found: tuple[ReaderFound, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A segment to choose."""

    slug: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class TrialView:
    """Where a test may go: `to` as it was typed, or one of `segments`.

    Of the one that was chosen `readers` are the addresses that would get it, before anybody does.
    """

    to: str
    segments: tuple[SegmentView, ...]
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShareOfReaders:
    """How many readers get so much, or nothing for that reason, and of all those how much in percent."""

    words: str
    count: str
    percent: float


@dataclass(frozen=True, slots=True)
class OutlookView:
    """What an issue is to come to. With no `when` it was not worked out yet.

    `is_awaited`: a worker will do that, or somebody can.
    """

    is_awaited: bool
    when: str = ""
    readers: str = ""
    shares: tuple[ShareOfReaders, ...] = ()
    skipped: tuple[ShareOfReaders, ...] = ()
    spared: str = ""
    checks: ChecksView | None = None


@dataclass(frozen=True, slots=True)
class ShareView:
    """A link to a preview; `url` is '' for one that is over."""

    id: int
    url: str
    whom: str
    made: str
    until: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class HeadView:
    """Which issue it is: its days, its newsletter, its state, and whom it is for, '' for everybody."""

    id: int
    days: str
    newsletter: str
    newsletter_slug: str
    state: State
    limits: str = ""


@dataclass(frozen=True, slots=True)
class ReasonView:
    """An article of the issue: whether the reader gets it, and why or why not."""

    title: str
    is_in: bool
    reason: str


@dataclass(frozen=True, slots=True)
class SizeView:
    """How much of what mail programs show a mail takes: in words, and as kilobytes of the most."""

    words: str
    kilobytes: float
    most: int


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail as one reader gets it. `frame` is the address of its HTML, `text` and `source` are the others.

    `download` is where the source is got as a file. Who wants text alone `is_text`: their mail has no HTML.
    """

    sender: str
    reply_to: str
    subject: str
    frame: str
    text: str
    source: str
    download: str
    size: SizeView
    findings: tuple[FindingView, ...]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class PreviewView:
    """What one reader gets: `mail`, or in `problem` why there is none.

    `who` completes the sentence "as … gets it", `standing` says whether they get it at all. `items` are the
    issue's articles with the reason for each; `shown` counts those they get.
    """

    who: str
    email: str
    topics: tuple[TopicView, ...]
    choices: tuple[ChoiceView, ...]
    part: str
    width: str
    standing: str
    items: tuple[ReasonView, ...]
    shown: str
    problem: str = ""
    mail: MailView | None = None


@dataclass(frozen=True, slots=True)
class SharedView:
    """A mail as somebody sees it who was sent a link to it; `until` says by whom, and how long it works."""

    issue: HeadView
    subject: str
    frame: str
    text: str
    choices: tuple[ChoiceView, ...]
    width: str
    until: str
