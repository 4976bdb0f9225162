"""Titles and texts of feed entries, of which each format has its own way to say what they are written in."""

from __future__ import annotations

import re

from lxml.etree import _Element

from digest.gather.feeds.fields import (
    Fields,
    as_markup,
    as_paragraphs,
    attribute,
    language_at,
    markup_in,
    split_tag,
    text_in,
)
from digest.gather.plain import plain_from_html, plain_from_text

_CLOSING_TAG = re.compile(r"</(?:b|i|em|strong|a|span|p|sub|sup|u|q|cite|code|mark|font)\s*>", re.IGNORECASE)
_TITLES = ("title", "atom:title", "dc:title", "media:title", "itunes:title")
_TEXTS = (
    "content:encoded", "content", "atom:content", "description", "summary", "atom:summary", "dc:description",
    "itunes:summary", "xhtml:body", "xhtml:div", "media:description", "tagline", "subtitle",
)  # fmt: skip


def title_of(fields: Fields) -> str:
    """Return the title on one line of plain text, '' when there is none."""
    for element in fields.all(*_TITLES):
        written = text_in(element)
        title = plain_from_html(written) if _is_html(element) else plain_from_text(written)
        # Escaped twice: what was left is HTML after all, when it closes what it opens.
        title = plain_from_text(title) if _CLOSING_TAG.search(title) else title
        if title:
            return title
    return ""


def content_of(fields: Fields) -> tuple[str, str]:
    """Return the longest of an entry's texts as HTML ('' when it has none), and the xml:lang it is in."""
    texts = [(markup, element) for element in fields.all(*_TEXTS) if (markup := _markup(element))]
    if not texts:
        return "", language_at(fields.element)
    markup, element = max(texts, key=lambda text: len(text[0]))
    return markup, language_at(element)


def _is_html(element: _Element) -> bool:
    """Whether Atom says so. RSS does not say, and its titles are read as text that may have tags in it."""
    return attribute(element, "type").lower() in ("html", "xhtml", "text/html", "application/xhtml+xml")


def _is_atom(element: _Element) -> bool:
    """Whether Atom's rule holds, that a text is plain unless it says otherwise (RFC 4287 §3.1.1)."""
    return "atom" in split_tag(element)[0].lower()


def _markup(element: _Element) -> str:
    """Return what an element says as HTML."""
    kind = attribute(element, "type").lower()
    if len(element):
        return markup_in(element)
    if attribute(element, "mode") == "base64" or kind.startswith(("image/", "audio/", "video/")):
        return ""
    text = text_in(element)
    is_plain = kind in ("text", "text/plain") or (not kind and _is_atom(element))
    if is_plain and attribute(element, "mode") != "escaped":
        return as_paragraphs(text)
    return text if kind in ("html", "text/html") else as_markup(text)
