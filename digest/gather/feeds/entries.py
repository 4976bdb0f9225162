"""What a feed holds, whichever format it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.domain.articles import Image
from digest.domain.errors import InvalidInput
from digest.domain.mail import shorten
from digest.gather.plain import plain_from_html

TITLE_MAX = 300
CATEGORIES_MAX = 40


class NotAFeed(InvalidInput):
    """What was given as a feed is something else, or a feed that is not safe to read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed or sitemap.

    `url` is canonical. `title` is plain text, in a feed never empty; '' in a sitemap means: take the page's.
    `published_at` is aware UTC, None when there is no date or one that cannot be (the future, before 1990).
    `updated_at` is the latest change told of: in a sitemap often the only date, and never before the day of
    publication. `html` is the longer of content and summary as the feed wrote it: not sanitised, '' when
    there is none. `language` is ISO 639-1. `image` is the largest picture the entry names as its own.
    """

    url: str
    title: str
    published_at: datetime | None = None
    html: str = ""
    categories: tuple[str, ...] = ()
    author: str | None = None
    guid: str | None = None
    language: str | None = None
    updated_at: datetime | None = None
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed's own name and its entries in the feed's order, each URL once. `title` is '' when it has none.

    `url` is the site's page, or the feed itself when it names none. `format` is in words ("RSS 2.0").
    How often to ask: not again within `ttl`, not in `skip_hours` (UTC, 0 to 23) nor on `skip_days` (0 is
    Monday, UTC). `moved_to` is the address the feed says it has moved to; `is_finished` that nothing new will
    come. `problems` are sentences on what was wrong and how it was read.
    """

    title: str
    url: str
    language: str | None = None
    entries: tuple[Entry, ...] = ()
    format: str = ""
    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    moved_to: str | None = None
    is_finished: bool = False
    problems: tuple[str, ...] = ()


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
