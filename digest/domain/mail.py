"""A mail in pieces: fragments rendered once an issue, joined for an edition, completed for a reader.

Three steps make a mail, each cheaper than the one before:

1. compose renders every piece of an issue once (`RenderedIssue`), with tokens where text differs;
2. `assemble` joins the pieces of one edition and fills in what the edition decides;
3. deliver puts a reader's own values in place of the tokens that are left.

Preview and send both do these three steps with this code, so what an editor sees is what is sent.
"""

from __future__ import annotations

import html
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from digest.domain.clicks import ArticleLink
from digest.domain.issues import Edition
from digest.domain.layout import MAIL_ROOM, Density, lay_out
from digest.domain.topics import TopicSlug

TOKEN_OPEN, TOKEN_CLOSE = "\ue000", "\ue001"
"""Private-use characters around a token's name. Whatever comes from outside is stripped of them."""

TOKEN = re.compile(f"{TOKEN_OPEN}([a-z_]+){TOKEN_CLOSE}")

PREHEADER_MIN, PREHEADER_MAX = 40, 130
SUBJECT_MAX = 78

FOLLOWER_ROOM = 70
"""Bytes that a link of a measured mail takes besides: who follows it."""

CONTENTS_TOPICS = 2
"""An edition of at least so many topics begins with a list of them: of one, its heading says as much."""


class Token(StrEnum):
    """What stands in a fragment where readers or editions differ."""

    EMAIL = "email"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    PREFERENCES_URL = "preferences_url"
    ONLINE_URL = "online_url"
    SUBJECT = "subject"
    PREHEADER = "preheader"
    ITEM_COUNT = "item_count"
    ARTICLES = "articles"
    MORE_COUNT = "more_count"
    PLACE = "place"
    """Which article of its mail a link stands in, from 1. It differs from article to article."""
    FOLLOWER = "follower"
    """Who follows a link, after its place. Only the mail of readers who agreed to be measured has it."""
    PICTURE_URL = "picture_url"
    """The picture that tells that such a mail was opened."""

    @property
    def mark(self) -> str:
        """The token as it stands in a fragment."""
        return f"{TOKEN_OPEN}{self.value}{TOKEN_CLOSE}"


EDITION_TOKENS = frozenset(
    {Token.SUBJECT, Token.PREHEADER, Token.ITEM_COUNT, Token.ARTICLES, Token.MORE_COUNT, Token.PLACE}
)
MEASURING_TOKENS = frozenset({Token.FOLLOWER, Token.PICTURE_URL})
"""Put in where a mail is encoded: no template has them, and no page that is shown."""

_PLACE = Token.PLACE.mark

SECTION_COUNT = f"{TOKEN_OPEN}section_count{TOKEN_CLOSE}"
"""Where an entry of the contents says how many articles its topic has. It differs within one edition, so
`assemble` puts the number there itself."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One piece of an issue in both forms. Each form ends with a line break, so pieces join.

    `weight` is the bytes of its HTML, which is what mail programs cut by; `links` of it are counted ones.
    """

    html: str
    text: str
    weight: int = field(init=False, repr=False, compare=False)
    links: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", len(self.html.encode("utf-8", "replace")))
        object.__setattr__(self, "links", self.html.count(_PLACE))

    def counting(self, articles: int) -> Fragment:
        """Return the fragment with this number in place of `SECTION_COUNT`."""
        number = str(articles)
        return Fragment(self.html.replace(SECTION_COUNT, number), self.text.replace(SECTION_COUNT, number))


@dataclass(frozen=True, slots=True)
class RenderedIssue:
    """Every piece of an issue, rendered once and kept with it: from here on no template is read.

    `sections` holds the heading of each topic; `items` holds each item under each topic it can be shown
    under, named `position:topic`, and `compact` and `headlines` the same in less room. `contents` opens the
    list of what is in an edition, `entries` are its lines by topic, `more` says what is online only.
    `titles` are the items' titles by position, `summaries` their first takeaways ('' where there is none),
    `subject` and `preheader` what the editor wrote ('' to let each edition name its own articles). `counts`
    say one article, two and so on, in words: which plural a number takes, only compose knows. `links` says
    where counted links lead, by their tokens; there are none where clicks are not counted. `measured` is the
    closing of readers who agreed to be measured, empty where nobody is asked.

    An issue whose every edition has room for all its articles has no `compact` and no `headlines`; nor has
    one that was approved before there were layouts, which is sent as it was approved.
    """

    newsletter: str
    language: str
    subject: str
    preheader: str
    opening: Fragment
    sections: Mapping[TopicSlug, Fragment]
    items: Mapping[str, Fragment]
    closing: Fragment
    titles: tuple[str, ...]
    compact: Mapping[str, Fragment] = field(default_factory=dict)
    headlines: Mapping[str, Fragment] = field(default_factory=dict)
    contents: Fragment = Fragment("", "")
    entries: Mapping[TopicSlug, Fragment] = field(default_factory=dict)
    more: Fragment = Fragment("", "")
    summaries: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    links: Mapping[str, ArticleLink] = field(default_factory=dict)
    measured: Fragment = Fragment("", "")

    @property
    def is_measuring(self) -> bool:
        """Whether readers who agreed are measured by it."""
        return bool(self.measured.text)

    def to_json(self) -> str:
        """Return the pieces as JSON, the same text for the same pieces."""
        pieces = {name: _plain(getattr(self, name)) for name in self.__slots__}
        if not self.is_measuring:
            # As it was written before anybody was measured: an approval is of this text.
            del pieces["measured"]
        return json.dumps(pieces, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> RenderedIssue:
        """Read back what `to_json` wrote, also before there were layouts."""
        raw: dict[str, Any] = json.loads(text)
        return cls(**{name: _read(value) for name, value in raw.items()})

    def pieces(self, density: Density) -> Mapping[str, Fragment]:
        """Return the items as they are shown in this density."""
        if density is Density.FULL:
            return self.items
        return self.compact if density is Density.COMPACT else self.headlines


def _plain(value: object) -> object:
    """Return a piece, a mapping of pieces or a text as JSON knows it."""
    if isinstance(value, Fragment):
        return {"html": value.html, "text": value.text}
    if isinstance(value, ArticleLink):
        return asdict(value)
    if isinstance(value, Mapping):
        return {name: _plain(piece) for name, piece in value.items()}
    return value


_LINK = {one.name for one in fields(ArticleLink)}


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        if value.keys() == {"html", "text"} and isinstance(value["html"], str):
            return Fragment(**value)
        if value.keys() == _LINK and isinstance(value["url"], str):
            return ArticleLink(**value)
        return {name: _read(piece) for name, piece in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Assembly:
    """An edition's mail before it has a reader: its pieces in order and the values of its edition tokens.

    The values are plain text: whoever writes them into HTML escapes them. `places` says of each piece which
    article of the mail it is, from 1; 0 for what is none. Empty, none is. With `is_measured` its links are to
    say who followed them.
    """

    subject: str
    pieces: tuple[Fragment, ...]
    values: Mapping[Token, str]
    places: tuple[int, ...] = ()
    is_measured: bool = False

    def placed(self) -> Iterator[tuple[Fragment, int]]:
        """Yield the pieces in order, each with its place."""
        return zip(self.pieces, self.places or itertools.repeat(0), strict=False)


def layout_of(
    issue: RenderedIssue, edition: Edition, *, room: int | None = MAIL_ROOM
) -> Mapping[int, Density | None]:
    """Return how each item of `edition` is shown, by position; None: online only. See `lay_out`."""
    wanted = edition.positions if room is None else edition.wanted
    online: dict[int, Density | None] = dict.fromkeys(edition.positions)
    if not issue.compact:
        return online | dict.fromkeys(wanted, Density.FULL)
    under = sorted(
        (position, section.topic)
        for section in edition.sections
        for position in section.positions
        if position in wanted
    )
    weights = []
    is_measured = edition.is_measured and issue.is_measuring
    for position, topic in under:
        key = f"{position}:{topic}"
        shown = issue.items[key], issue.compact[key], issue.headlines[key]
        full, compact, headline = (one.weight + is_measured * one.links * FOLLOWER_ROOM for one in shown)
        weights.append((full, compact, headline))
    layout = lay_out(weights, None if room is None else room - _frame_weight(issue, edition))
    return online | dict(zip([position for position, _ in under], layout, strict=True))


def _frame_weight(issue: RenderedIssue, edition: Edition) -> int:
    """Return the bytes that an edition takes besides its articles, at most."""
    closing = closing_of(issue, edition)
    shared = issue.opening.weight + issue.contents.weight + issue.more.weight + closing.weight
    topics = [section.topic for section in edition.sections]
    return shared + sum(issue.sections[topic].weight + issue.entries[topic].weight for topic in topics)


def closing_of(issue: RenderedIssue, edition: Edition) -> Fragment:
    """Return what an edition ends in."""
    return issue.measured if edition.is_measured and issue.is_measuring else issue.closing


def assemble(issue: RenderedIssue, edition: Edition, *, room: int | None = MAIL_ROOM) -> Assembly:
    """Return the pieces of `edition` in reading order, with its subject, preheader and count.

    With `room` None nothing is left out, however long the page gets: so it stands on the web.
    """
    layout = layout_of(issue, edition, room=room)
    left_out = list(layout.values()).count(None)
    placed = [(issue.opening, 0), *((piece, 0) for piece in _contents(issue, edition))]
    placed += _articles(issue, edition, layout)
    closing = closing_of(issue, edition)
    placed += [(issue.more, 0), (closing, 0)] if left_out else [(closing, 0)]
    pieces, places = zip(*placed, strict=True)
    shown = [position for position in edition.positions if layout[position]]
    titles = [issue.titles[position] for position in shown]
    subject = issue.subject or subject_for(issue.newsletter, titles)
    summary = issue.summaries[shown[0]] if issue.summaries and shown else ""
    count = len(edition.positions)
    values = {
        Token.SUBJECT: subject,
        Token.PREHEADER: issue.preheader or preheader_for(titles, summary),
        Token.ITEM_COUNT: str(count),
        Token.ARTICLES: issue.counts[count - 1] if issue.counts and count else str(count),
        Token.MORE_COUNT: str(left_out),
    }
    is_measured = edition.is_measured and issue.is_measuring
    return Assembly(subject, pieces, values, places if issue.links else (), is_measured)


def _articles(
    issue: RenderedIssue, edition: Edition, layout: Mapping[int, Density | None]
) -> Iterator[tuple[Fragment, int]]:
    """Yield the sections of an edition, each headed by its topic unless none of its articles is shown.

    With each piece comes which article it is, from 1; 0 with a heading.
    """
    places = itertools.count(1)
    for section in edition.sections:
        shown = [
            issue.pieces(density)[f"{position}:{section.topic}"]
            for position in section.positions
            if (density := layout[position])
        ]
        if shown:
            yield issue.sections[section.topic], 0
            yield from zip(shown, places, strict=False)


def _contents(issue: RenderedIssue, edition: Edition) -> list[Fragment]:
    """Return the list of an edition's topics and how many articles each has; none for a single topic.

    The counts are written into the pieces here, as they differ within one edition. There are few of
    them, so what deliver keeps encoded stays small.
    """
    if not issue.entries or len(edition.sections) < CONTENTS_TOPICS:
        return []
    return [
        issue.contents,
        *(issue.entries[section.topic].counting(len(section.positions)) for section in edition.sections),
    ]


def subject_for(newsletter: str, titles: list[str]) -> str:
    """Return the subject of an edition whose editor wrote none: its first article, within 78 characters."""
    return shorten(f"{newsletter}: {titles[0]}" if titles else newsletter, SUBJECT_MAX)


def preheader_for(titles: list[str], summary: str = "") -> str:
    """Return the line an inbox shows after the subject: the articles the subject left out.

    Where they say too little, `summary`, what the first article comes to, goes on.
    """
    others = titles[1:]
    if summary and len(" · ".join(others)) < PREHEADER_MIN:
        others = [*others, summary]
    return shorten(" · ".join(others or titles), PREHEADER_MAX)


def shorten(text: str, limit: int) -> str:
    """Return `text` within `limit` characters, cut between words and marked with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip(" ,;:·–—-") + "…"


def escape_html(text: str) -> str:
    """Return `text` for an HTML body or a quoted attribute.

    Braces are escaped too: a `{{` that is left in a finished page is then a template's, never an article's.
    """
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")


@dataclass(frozen=True, slots=True)
class Page:
    """One edition for one reader, readable: what a preview shows and what the mail decodes to."""

    subject: str
    html: str
    text: str


def page_for(assembly: Assembly, personal: Mapping[Token, str]) -> Page:
    """Return the finished mail as HTML and text, with a reader's own values in place."""
    values = {**assembly.values, **personal}

    def escaped(match: re.Match[str]) -> str:
        return escape_html(values[Token(match[1])])

    def plain(match: re.Match[str]) -> str:
        return values[Token(match[1])]

    placed = list(assembly.placed())
    return Page(
        assembly.subject,
        TOKEN.sub(escaped, "".join(piece.html.replace(_PLACE, str(place)) for piece, place in placed)),
        TOKEN.sub(plain, "".join(piece.text.replace(_PLACE, str(place)) for piece, place in placed)),
    )
