"""Sitemaps (sitemaps.org protocol 0.9), with Google's extensions for news and images.

A sitemap is a list of entries, or an index of other sitemaps. It may be gzipped, a plain list of addresses,
or a feed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml.etree import _Element

from digest.domain.articles import Image
from digest.domain.mail import shorten
from digest.gather.encoding import decode
from digest.gather.feeds.entries import TITLE_MAX, Entry, NotAFeed, labels, unique_entries
from digest.gather.feeds.faults import Faults
from digest.gather.feeds.fields import Fields, Names
from digest.gather.feeds.formats import read_feed
from digest.gather.feeds.newest import MAX_ENTRIES, newest
from digest.gather.feeds.sniff import Kind, described, kind_of
from digest.gather.feeds.xmltree import parsed_xml
from digest.gather.language import iso_639_1
from digest.gather.plain import plain_from_text
from digest.gather.urls import canonical_or_none, joined

MAX_BYTES = 16 * 1024 * 1024
"""Of the body as it is read: the protocol allows 50 MB, which no list of this week's articles needs."""
MAX_TAGS = 600_000
MAX_CHILDREN = 100

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Child:
    """A sitemap that an index names, and when anything in it changed last."""

    url: str
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap lists, in its order, each URL once; of over 5,000 entries the newest.

    An entry's `title` is '' unless the news extension gives one: the page's is to be taken. `published_at`
    comes from the news extension alone; `updated_at` is `lastmod`, so an entry that was last changed before a
    window cannot be inside it. `children` are the other sitemaps of an index, the last changed first and
    those without a date last, at most 100: an index has no entries of its own. `format` is in words
    ("sitemap", "news sitemap", "sitemap index", "list of addresses", or a feed's).
    """

    format: str
    entries: tuple[Entry, ...] = ()
    children: tuple[Child, ...] = ()
    problems: tuple[str, ...] = ()


def read_sitemap(
    body: bytes, *, url: str, encoding: str | None = None, now: datetime | None = None
) -> Sitemap:
    """Return what the sitemap fetched from `url` lists; gzipped or not, XML, text or a feed.

    Raises `NotAFeed` when it is none of these, declares a DTD, or is larger than one has reason to be.
    """
    now = now or datetime.now(UTC)
    body = _unpacked(body, url)
    if len(body) > MAX_BYTES:
        raise NotAFeed(f"{url} is larger than {MAX_BYTES >> 20} MiB: too large for a sitemap")
    match kind_of(body, encoding):
        case Kind.SITEMAP:
            return _read_xml(body, url=url, encoding=encoding, now=now)
        case Kind.XML_FEED | Kind.JSON_FEED:
            feed = read_feed(body, url=url, encoding=encoding, now=now)
            return Sitemap(feed.format, feed.entries, problems=feed.problems)
        case Kind.TEXT if lines := _addresses(decode(body, encoding).text):
            return _read_addresses(lines)
        case _:
            raise NotAFeed(f"{url} is not a sitemap: it is {described(body, encoding)}")


def _unpacked(body: bytes, url: str) -> bytes:
    if not body.startswith(_GZIP):
        return body
    unpacking = zlib.decompressobj(wbits=31)
    try:
        return unpacking.decompress(body, MAX_BYTES + 1)
    except zlib.error as exc:
        raise NotAFeed(f"{url} is not a sitemap: it is a damaged gzip archive ({exc})") from exc


def _addresses(text: str) -> list[str]:
    """Return the lines of a list of addresses, empty when `text` is something else."""
    lines = [line.strip() for line in text.strip("\ufeff").splitlines() if line.strip()]
    return lines if lines and all(_ADDRESS.fullmatch(line) for line in lines[:20]) else []


def _read_addresses(lines: Sequence[str]) -> Sitemap:
    """Of too many the first stay: nothing tells which are new."""
    urls = [url for line in lines[:MAX_ENTRIES] if (url := canonical_or_none(line))]
    faults = Faults()
    faults.beyond(max(0, len(lines) - MAX_ENTRIES))
    entries = tuple(Entry(url, "") for url in dict.fromkeys(urls))
    return Sitemap("list of addresses", entries, problems=faults.told())


def _read_xml(body: bytes, *, url: str, encoding: str | None, now: datetime) -> Sitemap:
    document = parsed_xml(body, url=url, encoding=encoding, what="a sitemap", max_tags=MAX_TAGS)
    names = Names(document.root)
    return _Reader(names, url, now).sitemap(document.root, document.problems)


class _Reader:
    """One reading of one sitemap."""

    def __init__(self, names: Names, url: str, now: datetime) -> None:
        self._names = names
        self._url = url
        self._now = now
        self._faults = Faults()

    def sitemap(self, root: _Element, problems: tuple[str, ...]) -> Sitemap:
        """Return the entries of a `urlset`, the children of a `sitemapindex`."""
        is_index = self._names.of(root) == "sitemapindex"
        tag = "sitemap" if is_index else "url"
        found = [Fields(node, self._names) for node in root if self._names.of(node) == tag]
        kept = newest(found, _written, MAX_CHILDREN if is_index else MAX_ENTRIES)
        self._faults.beyond(len(found) - len(kept))
        if is_index:
            children = self._children(kept)
            return Sitemap("sitemap index", children=children, problems=(*problems, *self._faults.told()))
        entries = unique_entries([entry for fields in kept if (entry := self._entry(fields))])
        is_news = any(fields.inner("news:news") for fields in kept)
        told = (*problems, *self._faults.told())
        return Sitemap("news sitemap" if is_news else "sitemap", entries, problems=told)

    def _children(self, found: Sequence[Fields]) -> tuple[Child, ...]:
        children = [
            Child(url, self._faults.date(fields.texts("lastmod"), self._now))
            for fields in found
            if (url := joined(self._url, fields.text("loc")))
        ]
        dated = {child.url: child for child in reversed(children)}
        oldest = datetime.min.replace(tzinfo=UTC)
        return tuple(sorted(dated.values(), key=lambda child: child.changed_at or oldest, reverse=True))

    def _entry(self, fields: Fields) -> Entry | None:
        loc = fields.text("loc")
        url = joined(self._url, loc) if loc else None
        if url is None:
            self._faults.unlinked()
            return None
        news = next(iter(fields.inner("news:news")), None)
        published = news.texts("news:publication_date") if news else []
        publication = next(iter(news.inner("news:publication")), None) if news else None
        changed = fields.texts("lastmod")
        updated_at = self._faults.date(changed, self._now) if changed or not published else None
        return Entry(
            url=url,
            title=shorten(plain_from_text(news.text("news:title")), TITLE_MAX) if news else "",
            published_at=self._faults.date(published, self._now) if published else None,
            categories=labels(_keywords(news)) if news else (),
            language=iso_639_1(publication.text("news:language")) if publication else None,
            updated_at=updated_at,
            image=self._image(fields),
        )

    def _image(self, fields: Fields) -> Image | None:
        for picture in fields.inner("image:image"):
            url = joined(self._url, picture.text("image:loc")) if picture.text("image:loc") else None
            if url:
                return Image(url, plain_from_text(picture.text("image:caption", "image:title"))[:300])
        return None


def _written(fields: Fields) -> str:
    """Return the date by which an entry is new, as it is written."""
    news = next(iter(fields.inner("news:news")), None)
    return (news.text("news:publication_date") if news else "") or fields.text("lastmod")


def _keywords(news: Fields) -> list[str]:
    return [word for text in news.texts("news:keywords", "news:genres") for word in text.split(",")]
