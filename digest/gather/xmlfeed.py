"""RSS, Atom and RDF through feedparser, after what could hurt has been refused.

feedparser takes over 10 s on 200,000 nested tags, attributes or items, and its sanitiser takes ten times as
long as our own: both are kept from it.
"""

from __future__ import annotations

import html
import io
import re
import time
from calendar import timegm
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

import feedparser
from defusedxml import DefusedXmlException
from defusedxml.sax import parseString

from digest.gather.dates import believable
from digest.gather.encoding import decoded
from digest.gather.entries import Entry, Feed, NotAFeed, labels, title_or_beginning, unique_entries
from digest.gather.language import iso_639_1
from digest.gather.plain import plain_from_html, plain_from_text
from digest.gather.urls import canonical_or_none, joined

MAX_DEPTH = 64
MAX_ELEMENTS = 150_000
MAX_ATTRIBUTES = 200
MAX_ITEMS = 5_000
MAX_DAMAGED_BYTES = 256 * 1024
MAX_DAMAGED_DEPTH = 5_000

_ITEMS = frozenset({"item", "entry"})
# To the end when it is not closed: looking for the end of each of many would take a minute a megabyte.
_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)(?:(\w{2,31});)?")
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_TAG = re.compile(r"<(/?)[a-zA-Z][^<>]*?(/?)>")
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{8192}")


class _TooMuch(Exception):
    """A limit was passed; the text says which."""


def read_xml_feed(body: bytes, *, url: str, encoding: str | None, now: datetime) -> Feed:
    """Return the feed in `body`. Raises `NotAFeed` when it is unsafe to parse or holds no feed."""
    text = _repaired(decoded(body, encoding))
    try:
        _check(text)
    except (_TooMuch, DefusedXmlException) as exc:
        reason = str(exc) if isinstance(exc, _TooMuch) else "it declares a DTD or entities"
        raise NotAFeed(f"{url} is not read as a feed: {reason}") from exc
    parsed = feedparser.parse(
        io.BytesIO(text.encode("utf-8")),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.version and not parsed.entries:
        raise NotAFeed(f"{url} is not a feed: it is XML that names no items")
    return _feed(parsed, url, now)


def _repaired(text: str) -> str:
    """Mend what most often keeps a feed from being XML: control characters, bare `&`, HTML's entities."""
    text = _NOT_XML.sub("", _DECLARATION.sub("", text))
    parts = _CDATA.split(text)
    parts[::2] = [_AMPERSAND.sub(_xml_reference, part) for part in parts[::2]]
    return "".join(parts)


def _xml_reference(match: re.Match[str]) -> str:
    character = html.unescape(match[0]) if match[1] else match[0]
    return match[0].replace("&", "&amp;") if character == match[0] else html.escape(character)


def _check(text: str) -> None:
    """Raise `_TooMuch`, or a defusedxml error for a DTD, before feedparser sees `text`.

    What is not well-formed goes through feedparser's slow, forgiving parser, so it has to be small.
    """
    try:
        parseString(text.encode("utf-8"), _Limits(), forbid_dtd=True)
    except SAXException:
        _check_damaged(text)


def _check_damaged(text: str) -> None:
    bare = _CDATA.sub("", text)
    if _DOCTYPE.search(bare):
        raise _TooMuch("it declares a DTD or entities")
    if len(text) > MAX_DAMAGED_BYTES:
        raise _TooMuch(f"it is not well-formed XML, and over {MAX_DAMAGED_BYTES >> 10} KiB long")
    if _LONG_TAG.search(bare):
        raise _TooMuch("it has a tag that does not end")
    depth = deepest = 0
    for closing, empty in _TAG.findall(bare):
        depth += 0 if empty else -1 if closing else 1
        deepest = max(deepest, depth)
    if deepest > MAX_DAMAGED_DEPTH:
        raise _TooMuch(f"its tags are nested {deepest} deep")


class _Limits(ContentHandler):
    """Counts what makes feedparser slow, and stops at the limit."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = self._items = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (the interface's)
        self._depth += 1
        self._elements += 1
        self._items += name.rpartition(":")[2].lower() in _ITEMS
        if self._depth > MAX_DEPTH:
            raise _TooMuch(f"its tags are nested over {MAX_DEPTH} deep")
        if self._elements > MAX_ELEMENTS:
            raise _TooMuch(f"it has over {MAX_ELEMENTS} tags")
        if self._items > MAX_ITEMS:
            raise _TooMuch(f"it has over {MAX_ITEMS} items")
        if len(attrs) > MAX_ATTRIBUTES:
            raise _TooMuch(f"a tag has over {MAX_ATTRIBUTES} attributes")

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802 (the interface's)
        self._depth -= 1


def _feed(parsed: Mapping[str, Any], url: str, now: datetime) -> Feed:
    about = parsed["feed"]
    entries = [entry for raw in parsed["entries"][:MAX_ITEMS] if (entry := _entry(raw, url, now))]
    return Feed(
        title=_title(about),
        url=_link(about, url) or canonical_or_none(url) or url,
        language=iso_639_1(_text(about, "language")),
        entries=unique_entries(entries),
    )


def _entry(raw: Mapping[str, Any], feed_url: str, now: datetime) -> Entry | None:
    """Return one entry, None when it links to nothing that can be read."""
    guid = _text(raw, "id") or None
    url = _link(raw, feed_url) or canonical_or_none(guid or "")
    if url is None:
        return None
    markup, language = _longest_content(raw)
    return Entry(
        url=url,
        title=title_or_beginning(_title(raw), markup, url),
        published_at=_published(raw, now),
        html=markup,
        categories=labels([_text(tag, "label") or _text(tag, "term") for tag in raw.get("tags", ())]),
        author=plain_from_html(_text(raw, "author"))[:200] or None,
        guid=guid,
        language=iso_639_1(_text(raw, "language") or language),
    )


def _title(raw: Mapping[str, Any]) -> str:
    detail = raw.get("title_detail") or {}
    written = _text(raw, "title")
    return plain_from_text(written) if _text(detail, "type") == "text/plain" else plain_from_html(written)


def _link(raw: Mapping[str, Any], base: str) -> str | None:
    """Return where an entry or feed leads: feedburner's original, else the alternate link."""
    named = [_text(raw, "feedburner_origlink"), _text(raw, "link")]
    named += [_text(link, "href") for link in raw.get("links", ()) if link.get("rel") == "alternate"]
    return next((url for link in named if link and (url := joined(base, link))), None)


def _longest_content(raw: Mapping[str, Any]) -> tuple[str, str]:
    """Return the longer of content and summary as HTML, and the language it is declared to be in."""
    details = [*raw.get("content", ()), raw.get("summary_detail") or {}]
    best = max(details, key=lambda detail: len(_text(detail, "value")))
    value = _text(best, "value")
    if best.get("type") == "text/plain":
        value = "".join(f"<p>{html.escape(part)}</p>" for part in re.split(r"\n\s*\n", value) if part.strip())
    return value, _text(best, "language")


def _published(raw: Mapping[str, Any], now: datetime) -> datetime | None:
    written = dict(raw)  # feedparser's own mapping would answer `published` for a missing `updated`
    for name in ("published_parsed", "created_parsed", "updated_parsed"):
        parsed = written.get(name)
        if isinstance(parsed, time.struct_time):
            return believable(_instant(parsed), now)
    return None


def _instant(parsed: time.struct_time) -> datetime | None:
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(raw: Mapping[str, Any], name: str) -> str:
    """Return a value feedparser gave as text, '' for whatever else it made of odd input."""
    value = raw.get(name)
    return value.strip() if isinstance(value, str) else ""
