"""What a body is, told from its first bytes: servers mislabel feeds, and files have no label at all."""

from __future__ import annotations

import re
from enum import StrEnum

from digest.gather.encoding import decoded
from digest.gather.plain import plain_from_html


class Kind(StrEnum):
    """What gather can read, and what it can only name."""

    XML_FEED = "xml feed"
    JSON_FEED = "json feed"
    SITEMAP = "sitemap"
    HTML = "html"
    TEXT = "text"
    XML = "xml"
    JSON = "json"
    BINARY = "binary"
    EMPTY = "empty"


_FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
_SITEMAP_ROOTS = frozenset({"urlset", "sitemapindex"})
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PROLOGUE = re.compile(r"\s*(?:<\?.*?\?>\s*|<!doctype[^>\[]*(?:\[.*?\]\s*)?>\s*)*", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([a-zA-Z][\w.-]*)")
_HTML_DOCTYPE = re.compile(r"\s*<!doctype\s+html", re.IGNORECASE)
_HTML_TAG = re.compile(
    r"html|head|body|title|meta|link|script|style|div|p|h[1-3]|ul|ol|table|article|main|section|header|a"
)
_PAGE_TITLE = re.compile(r"<title\b[^>]*>(.*?)(?:</title|\Z)", re.DOTALL | re.IGNORECASE)
# Not tab, line ends and page breaks, nor the escape by which ISO-2022-JP changes its alphabet.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
)


def kind_of(body: bytes, encoding: str | None = None) -> Kind:
    """Return what `body` is by its content alone."""
    if not body.strip():
        return Kind.EMPTY
    start = _beginning(body, encoding)
    if _is_binary(body, start):
        return Kind.BINARY
    if start[:1] in "{[":
        return Kind.JSON_FEED if "jsonfeed.org/version/" in start.replace("\\/", "/") else Kind.JSON
    if start.startswith("<"):
        return _markup_kind(start)
    return Kind.BINARY if _is_noise(start) else Kind.TEXT


def described(body: bytes, encoding: str | None = None) -> str:
    """Return in words what `body` looks like: "an HTML page (title 'News')"."""
    kind = kind_of(body, encoding)
    start = _beginning(body, encoding)
    match kind:
        case Kind.HTML:
            title = _PAGE_TITLE.search(start)
            return f"an HTML page (title '{plain_from_html(title[1])[:80]}')" if title else "an HTML page"
        case Kind.BINARY:
            return next((name for magic, name in _MAGIC if body.startswith(magic)), "binary data")
        case Kind.XML:
            return f"an XML document of another kind (<{_root(start)}>)"
        case Kind.JSON:
            return "a JSON document of another kind"
        case Kind.TEXT:
            return f"plain text ('{plain_from_html(start[:60])}…')"
        case Kind.EMPTY:
            return "empty"
        case Kind.SITEMAP:
            return "a sitemap"
        case Kind.XML_FEED | Kind.JSON_FEED:
            return "a damaged feed"


def _beginning(body: bytes, encoding: str | None) -> str:
    return _COMMENT.sub("", decoded(body[:20_000], encoding)).lstrip("\ufeff \t\r\n")


def _is_binary(body: bytes, start: str) -> bool:
    magic = tuple(magic for magic, _ in _MAGIC)
    return body.startswith(magic) or ("\x00" in start and not start.startswith("<"))


def _is_noise(start: str) -> bool:
    """Whether more than 2 % are control characters: in text there are none, in compressed data 10 %."""
    return len(_CONTROL.findall(start)) > max(2, len(start) // 50)


def _markup_kind(start: str) -> Kind:
    if _HTML_DOCTYPE.match(start):
        return Kind.HTML
    root = _root(start)
    if root in _FEED_ROOTS:
        return Kind.XML_FEED
    if root in _SITEMAP_ROOTS:
        return Kind.SITEMAP
    return Kind.HTML if _HTML_TAG.fullmatch(root) or not start.startswith("<?xml") else Kind.XML


def _root(start: str) -> str:
    prologue = _PROLOGUE.match(start)
    root = _ROOT.match(start, prologue.end() if prologue else 0)
    return root[1].lower() if root else ""
