"""RSS 0.90 to 2.0, Atom 0.3 and 1.0, and RDF: one reading, since feeds mix their vocabularies.

In a document of its own vocabulary a tag is called by its name alone, so `title` is RSS's or Atom's;
`atom:link` is Atom's inside RSS.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from lxml.etree import _Element

from digest.gather.feeds.entries import (
    Entry,
    Feed,
    NotAFeed,
    labels,
    title_or_beginning,
    unique_entries,
)
from digest.gather.feeds.faults import Faults
from digest.gather.feeds.fields import Fields, Names, attribute, language_at, split_tag, text_in
from digest.gather.feeds.links import leads_to, linked_site
from digest.gather.feeds.newest import newest
from digest.gather.feeds.pace import interval, skipped_days, skipped_hours
from digest.gather.feeds.pictures import picture_of
from digest.gather.feeds.texts import content_of, title_of
from digest.gather.feeds.xmltree import parsed_xml
from digest.gather.language import iso_639_1
from digest.gather.plain import plain_from_html
from digest.gather.urls import canonical_or_none, joined

_PUBLISHED = (
    "pubdate", "published", "issued", "atom:published", "dc:date", "dcterms:issued", "date", "created",
    "dcterms:created", "dc:created",
)  # fmt: skip
_UPDATED = ("updated", "atom:updated", "modified", "dcterms:modified", "dc:modified")
_RDF_VERSIONS = {
    "http://purl.org/rss/1.0/": "RSS 1.0",
    "http://my.netscape.com/rdf/simple/0.9/": "RSS 0.90",
    "http://channel.netscape.com/rdf/simple/0.9/": "RSS 0.90",
}
_ATOM_VERSIONS = {"http://www.w3.org/2005/Atom": "Atom 1.0", "http://purl.org/atom/ns#": "Atom 0.3"}
_NAMED_PERSON = re.compile(r"[^()\s]+@[^()\s]+\s*\(([^()]+)\)|(.*?)\s*<?\b[^\s<>()]+@[^\s<>()]+>?")


def read_xml_feed(body: bytes, *, url: str, encoding: str | None, now: datetime) -> Feed:
    """Return the feed in `body`. Raises `NotAFeed` when it is unsafe to parse or holds no feed."""
    document = parsed_xml(body, url=url, encoding=encoding)
    root = document.root
    about = next((node for node in (root, *root) if split_tag(node)[1].lower() == "channel"), root)
    names = Names(root, about)
    items = [
        node for node in root.iter() if isinstance(node.tag, str) and names.of(node) in ("item", "entry")
    ]
    if not items and len(about) == 0:
        raise NotAFeed(f"{url} is not a feed: it is XML that names no items")
    return _Reader(names, Fields(about, names), url, now).feed(root, items, document.problems)


class _Reader:
    """One reading of one feed: what its entries inherit, and what was wrong with them."""

    def __init__(self, names: Names, channel: Fields, url: str, now: datetime) -> None:
        self._names = names
        self._channel = channel
        self._url = url
        self._now = now
        self._faults = Faults()
        self._site = linked_site(channel, url)
        self._byline = _byline(channel) if names.of(channel.element) == "feed" else None

    def feed(self, root: _Element, items: Sequence[_Element], problems: tuple[str, ...]) -> Feed:
        channel = self._channel
        kept = newest([Fields(item, self._names) for item in items], self._written)
        self._faults.beyond(len(items) - len(kept))
        entries = [entry for item in kept if (entry := self._entry(item))]
        unique = unique_entries(entries)
        self._faults.repeated(len(entries) - len(unique))
        moved = channel.text("itunes:new-feed-url")
        return Feed(
            title=title_of(channel),
            url=self._site or canonical_or_none(self._url) or self._url,
            language=iso_639_1(channel.text("language", "dc:language") or language_at(channel.element)),
            entries=unique,
            format=_format(root, channel.element),
            ttl=interval(channel),
            skip_hours=skipped_hours(channel),
            skip_days=skipped_days(channel),
            moved_to=joined(self._url, moved) if moved else None,
            problems=(*problems, *self._faults.told()),
        )

    def _entry(self, fields: Fields) -> Entry | None:
        """Return one entry, None when it links to nothing that can be read."""
        url = leads_to(fields, self._url, self._site)
        if url is None:
            self._faults.unlinked()
            return None
        title = title_of(fields)
        markup, language = content_of(fields)
        published, updated = fields.texts(*_PUBLISHED), fields.texts(*_UPDATED)
        return Entry(
            url=url,
            title=title_or_beginning(title, markup, url),
            published_at=self._faults.date([*published, *updated], self._now),
            html=markup,
            categories=labels(_labels(fields)),
            author=_byline(fields) or self._byline,
            guid=fields.text("guid", "id", "atom:id") or attribute(fields.element, "about") or None,
            language=iso_639_1(fields.text("dc:language", "language") or language),
            updated_at=Faults().date(updated, self._now),
            image=picture_of(fields, url),
        )

    @staticmethod
    def _written(fields: Fields) -> str:
        return fields.text(*_PUBLISHED, *_UPDATED)


def _format(root: _Element, about: _Element) -> str:
    """Return the format's name and version as its root tells them."""
    namespace, local = split_tag(root)
    name = local.lower()
    if name.endswith("rdf"):
        return _RDF_VERSIONS.get(split_tag(about)[0], "RDF")
    if name == "feed":
        return _ATOM_VERSIONS.get(namespace, "Atom")
    version = attribute(root, "version")[:8]
    return f"RSS {version}" if version[:1].isdigit() else "RSS"


def _labels(fields: Fields) -> list[str]:
    written = [
        attribute(category, "label") or text_in(category) or attribute(category, "term")
        for category in fields.all("category", "atom:category")
    ]
    keywords = fields.text("itunes:keywords")
    return [*written, *fields.texts("dc:subject"), *(keywords.split(",") if keywords else ())]


def _byline(fields: Fields) -> str | None:
    """Return who wrote it, several joined by commas: names, never an e-mail address alone."""
    people = [
        person.text("name", "atom:name") or text_in(person.element)
        for person in fields.inner("author", "atom:author")
    ]
    written = fields.texts("dc:creator") or people or fields.texts("itunes:author")
    names = [plain_from_html(_without_address(name)) for name in written]
    return ", ".join(dict.fromkeys(name for name in names if name))[:200] or None


def _without_address(name: str) -> str:
    """Return the name in `desk@example.org (Ada Writer)` and in `Ada Writer <desk@example.org>`."""
    name = name[:400]
    match = _NAMED_PERSON.fullmatch(name.strip()) if "@" in name else None
    return (match[1] or match[2] or "") if match else name
