"""HTML as a tree, and the text of its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import html as lxml_html
from lxml.etree import ParserError, XMLSyntaxError, _Element

from digest.domain.mail import shorten
from digest.gather.encoding import decoded
from digest.gather.plain import plain_line

_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
UNSEEN = frozenset({"script", "style", "noscript", "template", "head", "svg", "iframe", "object", "button"})
"""Tags whose text no reader of the article sees."""

TAGS_MOST = 100_000
"""Of a page, opening and closing: the longest of live reports have half of it."""

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


# A parser compares each attribute of a tag with all before it: a tag with thousands of them is an attack.
_LONG_TAG = re.compile(r"<([a-zA-Z][\w:-]{0,40})([^<>]{8000,})>?")
_ATTRIBUTES_MOST = 500
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def parsed_page(body: bytes, encoding: str | None = None) -> lxml_html.HtmlElement:
    """Return a page's tree. Whatever the bytes are, there is one: an empty page has an empty `body`."""
    return parsed_text(decoded(body, encoding))


def _cut(markup: str) -> str:
    """Return the beginning of a page with more tags than any article has: their tree takes gigabytes."""
    return "<".join(markup.split("<", TAGS_MOST)[:TAGS_MOST])


def parsed_text(markup: str) -> lxml_html.HtmlElement:
    """Return the tree of HTML text, a page or a part of one. Raises `MemoryError` when it is too large."""
    # libxml2 drops what is nested over 256 deep: no page needs it, and what comes after would be slow.
    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True)
    text = _LONG_TAG.sub(_without_excess, _NOT_XML.sub("", _XML_DECLARATION.sub("", _cut(markup))))
    try:
        return lxml_html.document_fromstring(text, parser=parser)
    except (ParserError, ValueError):
        return lxml_html.document_fromstring("<html><body></body></html>")
    except XMLSyntaxError as exc:  # whatever HTML is, it recovers from: memory is at an end
        raise MemoryError("no memory for the tree of a page") from exc


def _without_excess(tag: re.Match[str]) -> str:
    """Return a tag as it is, or without its attributes when it has too many; a long value is no attribute."""
    outside = _QUOTED.sub("", tag[2])
    return f"<{tag[1]}>" if len(outside.split()) > _ATTRIBUTES_MOST else tag[0]


def text_of(element: _Element) -> str:
    """Return what a reader sees of an element, on one line."""
    if element.tag in UNSEEN:
        return ""
    parts = [element.text or ""]
    if len(element):
        _collect(element, parts)
    return plain_line("".join(parts))


def beginning_of(element: _Element, most: int = 80) -> str:
    """Return the beginning of what a reader sees of an element, about `most` characters of it."""
    parts: list[str] = []
    length = 0
    for part in _seen(element):
        parts.append(part[: 4 * most])
        length += len(part.strip())
        if length > most:
            break
    return shorten(plain_line("".join(parts)), most)


def short_text_of(element: _Element, most: int) -> str:
    """Return what a reader sees of an element when that is at most `most` characters, else ''.

    Reading stops there: asking every element of a page for its whole text is quadratic.
    """
    parts: list[str] = []
    length = 0
    for part in _seen(element):
        length += len(part.strip())
        if length > most:
            return ""
        parts.append(part)
    return plain_line("".join(parts))


def _collect(element: _Element, parts: list[str]) -> None:
    """Add the text under an element to `parts`. The parser nests nothing deeper than 256."""
    for child in element:
        tag = child.tag
        gap = "" if tag in INLINE else " "
        parts.append(gap)
        if tag not in UNSEEN and isinstance(tag, str):
            parts.append(child.text or "")
            if len(child):
                _collect(child, parts)
            parts.append(gap)
        parts.append(child.tail or "")


def _seen(element: _Element) -> Iterator[str]:
    """Yield the text inside an element, a space for every line break and inner block."""
    stack: list[tuple[_Element, bool]] = [(element, False)]
    while stack:
        current, left = stack.pop()
        if left:
            yield "" if current.tag in INLINE else " "
            yield current.tail or ""
            continue
        if current is not element:
            stack.append((current, True))
        if isinstance(current.tag, str) and current.tag not in UNSEEN:
            yield "" if current.tag in INLINE else " "
            yield current.text or ""
            stack.extend((child, False) for child in reversed(current))


INLINE = frozenset(
    re.findall(
        r"\S+",
        """
        a abbr acronym b bdi bdo big cite code data del dfn em font hi i ins kbd label mark nobr q ref s samp
        small span strike strong sub sup time tt u var wbr
        """,
    )
)
"""Tags that do not break a line: HTML's, and `hi` and `ref` as trafilatura writes them."""


def base_of(tree: _Element, url: str) -> str:
    """Return what relative links of a page are relative to: `<base href>` when it is absolute, else `url`."""
    for element in tree.iter("base"):
        href = (element.get("href") or "").strip()
        if href.startswith(("http://", "https://")):
            return href
    return url
