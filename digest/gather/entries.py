"""What a feed holds, whichever format it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.domain.errors import InvalidInput
from digest.domain.mail import shorten
from digest.gather.plain import plain_from_html

TITLE_MAX = 300
CATEGORIES_MAX = 40


class NotAFeed(InvalidInput):
    """What was given as a feed is something else, or a feed that is not safe to read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed.

    `url` is canonical. `title` is plain text and never empty. `published_at` is aware UTC, None when the feed
    gives no date or one that cannot be (the future, before 1990). `html` is the longer of content and summary
    as the feed wrote it: not sanitised, '' when there is none. `language` is ISO 639-1.
    """

    url: str
    title: str
    published_at: datetime | None = None
    html: str = ""
    categories: tuple[str, ...] = ()
    author: str | None = None
    guid: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's own name and its entries in the feed's order, each URL once. `title` is '' when it has none.

    `url` is the site's page, or the feed itself when it names none.
    """

    title: str
    url: str
    language: str | None = None
    entries: tuple[Entry, ...] = ()


def title_or_beginning(title: str, html: str, url: str) -> str:
    """Return a plain title; without one, the beginning of the text; without that, the URL."""
    return shorten(title, TITLE_MAX) or shorten(plain_from_html(html[:2000]), 80) or url


def labels(raw: list[str]) -> tuple[str, ...]:
    """Return category labels as plain text, each once (ignoring case), at most 40."""
    unique: dict[str, str] = {}
    for label in raw:
        plain = shorten(plain_from_html(label), 80)
        unique.setdefault(plain.casefold(), plain)
    return tuple(label for label in unique.values() if label)[:CATEGORIES_MAX]


def unique_entries(entries: list[Entry]) -> tuple[Entry, ...]:
    """Return `entries` with the first of each URL kept."""
    kept: dict[str, Entry] = {}
    for entry in entries:
        kept.setdefault(entry.url, entry)
    return tuple(kept.values())
