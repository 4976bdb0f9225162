"""Reading a feed, whatever its format: RSS, Atom and RDF (`xmlfeed`), JSON Feed (`jsonfeed`)."""

from __future__ import annotations

from datetime import UTC, datetime

from digest.gather.feeds.entries import Entry, Feed, NotAFeed
from digest.gather.feeds.jsonfeed import read_json_feed
from digest.gather.feeds.listing import advertised_feeds
from digest.gather.feeds.sniff import Kind, described, kind_of
from digest.gather.feeds.xmlfeed import read_xml_feed

__all__ = ["Entry", "Feed", "NotAFeed", "read_feed"]

MAX_BYTES = 8 * 1024 * 1024


def read_feed(
    body: bytes, *, url: str, content_type: str = "", encoding: str | None = None, now: datetime | None = None
) -> Feed:
    """Return what the feed fetched from `url` holds.

    The body decides what it is; `content_type` is only told in errors, `encoding` is the transport's charset.
    Dates after `now` (the clock, when not given) are None. A feed may have no entries; of over 5,000 the
    newest are read. A damaged one is read as far as its items can be told, and `problems` says so.

    Raises `NotAFeed` when the body is something else, carries a DTD, or is larger than a feed has reason to
    be. The message says what it is and, for a page, which feed it names.
    """
    now = now or datetime.now(UTC)
    if len(body) > MAX_BYTES:
        raise NotAFeed(f"{url} is larger than {MAX_BYTES >> 20} MiB: too large for a feed")
    match kind_of(body, encoding):
        case Kind.XML_FEED:
            return read_xml_feed(body, url=url, encoding=encoding, now=now)
        case Kind.JSON_FEED:
            return read_json_feed(body, url=url, now=now)
        case kind:
            raise NotAFeed(_what_it_is(body, kind, url=url, content_type=content_type, encoding=encoding))


def _what_it_is(body: bytes, kind: Kind, *, url: str, content_type: str, encoding: str | None) -> str:
    sent = f", sent as {content_type}" if content_type else ""
    said = f"{url} is not a feed: it is {described(body, encoding)}{sent}"
    if kind is Kind.SITEMAP:
        return f"{said}. 'digest inspect feed {url}' shows what it lists"
    if kind is not Kind.HTML:
        return f"{said}. Give the address of an RSS, Atom or JSON feed"
    feeds = advertised_feeds(body, url=url)
    if feeds:
        return f"{said}. It names the feed {feeds[0]}: use that"
    return f"{said}. It names no feed: add it as a page to read its links"
