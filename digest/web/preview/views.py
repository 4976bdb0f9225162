"""What the templates of previews are given: frozen, in words, and nothing that could ask the database."""

from __future__ import annotations

from dataclasses import dataclass

from digest.web.views import FindingView, State, TopicView


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """A group of links of which one leads to what is shown: words, address, and whether it is that one."""

    name: str
    links: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class HeadView:
    """Which issue it is: its days, its newsletter, its state."""

    id: int
    days: str
    newsletter: str
    newsletter_slug: str
    state: State


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

    `download` is where the source is got as a file.
    """

    subject: str
    frame: str
    text: str
    source: str
    download: str
    size: SizeView
    findings: tuple[FindingView, ...]


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
