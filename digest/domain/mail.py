"""A mail in pieces: fragments rendered once an issue, joined for an edition, completed for a reader.

Three steps make a mail, each cheaper than the one before:

1. compose renders every piece of an issue once (`RenderedIssue`), with tokens where text differs;
2. `assemble` joins the pieces of one edition and fills in what the edition decides;
3. deliver puts a reader's own values in place of the tokens that are left.

Preview and send both do these three steps with this code, so what an editor sees is what is sent.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from digest.domain.issues import Edition

TOKEN_OPEN, TOKEN_CLOSE = "\ue000", "\ue001"
"""Private-use characters around a token's name. Whatever comes from outside is stripped of them."""

TOKEN = re.compile(f"{TOKEN_OPEN}([a-z_]+){TOKEN_CLOSE}")

PREHEADER_MAX = 130
SUBJECT_MAX = 78


class Token(StrEnum):
    """What stands in a fragment where readers or editions differ."""

    EMAIL = "email"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    PREFERENCES_URL = "preferences_url"
    ONLINE_URL = "online_url"
    SUBJECT = "subject"
    PREHEADER = "preheader"
    ITEM_COUNT = "item_count"

    @property
    def mark(self) -> str:
        """The token as it stands in a fragment."""
        return f"{TOKEN_OPEN}{self.value}{TOKEN_CLOSE}"


EDITION_TOKENS = frozenset({Token.SUBJECT, Token.PREHEADER, Token.ITEM_COUNT})
PERSONAL_TOKENS = frozenset(Token) - EDITION_TOKENS


@dataclass(frozen=True, slots=True)
class Fragment:
    """One piece of an issue in both forms. Each form ends with a line break, so pieces join."""

    html: str
    text: str


@dataclass(frozen=True, slots=True)
class RenderedIssue:
    """Every piece of an issue, rendered once and kept with it: from here on no template is read.

    `sections` holds the heading of each topic; `items` holds each item under each topic it can be shown
    under, named `position:topic`. `titles` are the items' titles by position, `subject` and `preheader`
    what the editor wrote ('' to let each edition name its own articles).
    """

    newsletter: str
    language: str
    subject: str
    preheader: str
    opening: Fragment
    sections: Mapping[str, Fragment]
    items: Mapping[str, Fragment]
    closing: Fragment
    titles: tuple[str, ...]

    def to_json(self) -> str:
        """Return the pieces as JSON, the same text for the same pieces."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> RenderedIssue:
        """Read back what `to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        return cls(
            **raw
            | {
                "opening": Fragment(**raw["opening"]),
                "closing": Fragment(**raw["closing"]),
                "sections": {name: Fragment(**piece) for name, piece in raw["sections"].items()},
                "items": {name: Fragment(**piece) for name, piece in raw["items"].items()},
                "titles": tuple(raw["titles"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Assembly:
    """An edition's mail before it has a reader: its pieces in order and the values of its edition tokens.

    The values are plain text: whoever writes them into HTML escapes them.
    """

    subject: str
    pieces: tuple[Fragment, ...]
    values: Mapping[Token, str]


def assemble(issue: RenderedIssue, edition: Edition) -> Assembly:
    """Return the pieces of `edition` in reading order, with its subject, preheader and count."""
    pieces = [issue.opening]
    for section in edition.sections:
        pieces.append(issue.sections[section.topic])
        pieces.extend(issue.items[f"{position}:{section.topic}"] for position in section.positions)
    pieces.append(issue.closing)
    titles = [issue.titles[position] for position in edition.positions]
    subject = issue.subject or subject_for(issue.newsletter, titles)
    values = {
        Token.SUBJECT: subject,
        Token.PREHEADER: issue.preheader or preheader_for(titles),
        Token.ITEM_COUNT: str(len(titles)),
    }
    return Assembly(subject, tuple(pieces), values)


def subject_for(newsletter: str, titles: list[str]) -> str:
    """Return the subject of an edition whose editor wrote none: its first article, within 78 characters."""
    return shorten(f"{newsletter}: {titles[0]}" if titles else newsletter, SUBJECT_MAX)


def preheader_for(titles: list[str]) -> str:
    """Return the line an inbox shows after the subject: the articles the subject left out."""
    return shorten(" · ".join(titles[1:] or titles), PREHEADER_MAX)


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

    return Page(
        assembly.subject,
        TOKEN.sub(escaped, "".join(piece.html for piece in assembly.pieces)),
        TOKEN.sub(plain, "".join(piece.text for piece in assembly.pieces)),
    )
