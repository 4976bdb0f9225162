"""Feeds as documents: Atom 1.0 (RFC 4287), RSS 2.0, JSON Feed 1.1."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from lxml import etree

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
_DEFAULT: Any = {None: _ATOM}  # a namespace without a prefix, which lxml's stubs do not know
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, the same under its `id` in every feed and format.

    `page` is where it is in the archive, `url` what it is about: the article itself, or that page. `html`
    is whole, `summary` plain text; `topics` are names by slug.
    """

    id: str
    title: str
    page: str
    url: str
    summary: str
    html: str
    author: str
    language: str
    published_at: datetime
    topics: dict[str, str]
    image: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: `address` is its own, `home` that of the page it belongs to; entries are newest first."""

    title: str
    description: str
    address: str
    home: str
    author: str
    language: str
    changed_at: datetime
    entries: tuple[Entry, ...]


def write_atom(feed: Feed) -> bytes:
    """Return the feed as Atom. The alternate link of an entry is what it is about, `related` its page."""
    root = etree.Element(f"{{{_ATOM}}}feed", {_XML_LANG: feed.language}, nsmap=_DEFAULT)
    _atom(root, "id", feed.address)
    _atom(root, "title", feed.title)
    _atom(root, "subtitle", feed.description)
    _atom(root, "updated", feed.changed_at.isoformat(timespec="seconds"))
    _atom(root, "link", rel="self", type="application/atom+xml", href=feed.address)
    _atom(root, "link", rel="alternate", type="text/html", href=feed.home)
    _atom(_atom(root, "author"), "name", feed.author)
    for entry in feed.entries:
        _atom_entry(_atom(root, "entry"), entry)
    return _document(root)


def _atom_entry(node: etree._Element, entry: Entry) -> None:
    node.set(_XML_LANG, entry.language)
    moment = entry.published_at.isoformat(timespec="seconds")
    _atom(node, "id", entry.id)
    _atom(node, "title", entry.title)
    _atom(node, "published", moment)
    _atom(node, "updated", moment)
    _atom(node, "link", rel="alternate", type="text/html", href=entry.url)
    if entry.page != entry.url:
        _atom(node, "link", rel="related", type="text/html", href=entry.page)
    _atom(_atom(node, "author"), "name", entry.author)
    for slug, name in entry.topics.items():
        _atom(node, "category", term=slug, label=name)
    _atom(node, "summary", entry.summary)
    _atom(node, "content", entry.html, type="html")


def _atom(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    return _child(parent, f"{{{_ATOM}}}{name}", text, attributes)


def write_rss(feed: Feed) -> bytes:
    """Return the feed as RSS 2.0. The link of an item is what it is about."""
    root = etree.Element("rss", {"version": "2.0"}, nsmap={"atom": _ATOM, "content": _CONTENT, "dc": _DC})
    channel = _child(root, "channel")
    _child(channel, "title", feed.title)
    _child(channel, "link", feed.home)
    _child(channel, "description", feed.description)
    _child(channel, "language", feed.language)
    _child(channel, "lastBuildDate", format_datetime(feed.changed_at))
    own = {"rel": "self", "type": "application/rss+xml", "href": feed.address}
    _child(channel, f"{{{_ATOM}}}link", None, own)
    for entry in feed.entries:
        _rss_item(_child(channel, "item"), entry)
    return _document(root)


def _rss_item(node: etree._Element, entry: Entry) -> None:
    _child(node, "title", entry.title)
    _child(node, "link", entry.url)
    _child(node, "guid", entry.id, {"isPermaLink": "false"})
    _child(node, "pubDate", format_datetime(entry.published_at))
    _child(node, f"{{{_DC}}}creator", entry.author)
    for name in entry.topics.values():
        _child(node, "category", name)
    _child(node, "description", entry.summary)
    _child(node, f"{{{_CONTENT}}}encoded", entry.html)


def _child(
    parent: etree._Element, name: str, text: str | None = None, attributes: Mapping[str, str] | None = None
) -> etree._Element:
    node = etree.SubElement(parent, name, dict(attributes or {}))
    node.text = text
    return node


def _document(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def write_json(feed: Feed) -> bytes:
    """Return the feed as JSON Feed. `url` of an item is what it is about.

    Not its page: those of an issue's articles differ in their fragment alone, and readers that tell items by
    their address would keep one of them.
    """
    told = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.description,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "language": feed.language,
        "authors": [{"name": feed.author}],
        "items": [_json_item(entry) for entry in feed.entries],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _json_item(entry: Entry) -> dict[str, object]:
    item: dict[str, object] = {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content_html": entry.html,
        "date_published": entry.published_at.isoformat(timespec="seconds"),
        "authors": [{"name": entry.author}],
        "language": entry.language,
        "tags": list(entry.topics.values()),
    }
    if entry.image:
        item["image"] = entry.image
    return item


WRITERS: Mapping[str, Callable[[Feed], bytes]] = {"atom": write_atom, "rss": write_rss, "json": write_json}
"""What writes a feed, by the ending of its address."""
