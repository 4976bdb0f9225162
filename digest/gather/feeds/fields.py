"""The children of a feed's element by the names that formats share, whatever prefixes a feed uses."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from copy import deepcopy

from lxml import etree
from lxml.etree import _Element

_PREFIXES = {
    "http://www.w3.org/2005/atom": "atom",
    "http://purl.org/atom/ns#": "atom",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/elements/1.0/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.sitemaps.org/schemas/sitemap/0.9": "",
    "http://www.google.com/schemas/sitemap/0.84": "",
    "http://www.google.com/schemas/sitemap-news/0.9": "news",
    "http://www.google.com/schemas/sitemap-image/1.1": "image",
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
}
_XML = "{http://www.w3.org/XML/1998/namespace}"
_HTML_TAG = re.compile(r"</?(?:[a-z][a-z0-9]{0,10})(?:\s[^<>]*)?/?>|<!--", re.IGNORECASE)
_ESCAPED_TAG = re.compile(
    # No possessive group: until Python 3.11.5 those match wrongly.
    r"&lt;/?(?:p|div|br|a|img|ul|li|h[1-6]|strong|em|b|i|span)\b[^<>&]*+(?:&(?![lg]t;)[^<>&]*+){0,500}&gt;",
    re.IGNORECASE,
)


def split_tag(element: _Element) -> tuple[str, str]:
    """Return the namespace ('' for none) and name of an element; a prefix that is not declared stays."""
    namespace, _, local = element.tag.removeprefix("{").rpartition("}")
    return namespace, local


class Names:
    """Tags written one way: `local` in the vocabulary of the document itself, else `prefix:local`."""

    def __init__(self, *roots: _Element) -> None:
        self._plain = {split_tag(root)[0] for root in roots}
        self._known: dict[str, str] = {}

    def of(self, element: _Element) -> str:
        """Return the name of an element in lower case; of an unknown vocabulary it begins with `?:`."""
        tag = element.tag
        if tag not in self._known:
            self._known[tag] = self._named(*split_tag(element))
        return self._known[tag]

    def _named(self, namespace: str, local: str) -> str:
        if not namespace or namespace in self._plain:
            return local.lower()
        prefix = _PREFIXES.get(namespace.lower(), "?")
        return f"{prefix}:{local.lower()}" if prefix else local.lower()


class Fields:
    """The children of one element by name, in document order."""

    def __init__(self, element: _Element, names: Names) -> None:
        self.element = element
        self._names = names
        self._children: dict[str, list[_Element]] = {}
        for child in element:
            self._children.setdefault(names.of(child), []).append(child)

    def all(self, *names: str) -> Iterator[_Element]:
        """Yield the children of these names, in the order of the names."""
        for name in names:
            yield from self._children.get(name, ())

    def texts(self, *names: str) -> list[str]:
        """Return what these children say, without the empty ones."""
        return [text for child in self.all(*names) if (text := text_in(child))]

    def text(self, *names: str) -> str:
        """Return what the first of these children says that says anything, else ''."""
        return next((text for child in self.all(*names) if (text := text_in(child))), "")

    def inner(self, *names: str) -> list[Fields]:
        """Return the fields of these children."""
        return [Fields(child, self._names) for child in self.all(*names)]


def text_in(element: _Element) -> str:
    """Return all text inside an element, without blanks around it."""
    return "".join(map(str, element.itertext())).strip() if len(element) else (element.text or "").strip()


def attribute(element: _Element, name: str) -> str:
    """Return an attribute, in whatever vocabulary (`rdf:about`, `about`) and case, '' when it is missing."""
    plain = element.get(name)
    if plain is not None:
        return plain.strip()
    others = ((str(key).rpartition("}")[2], str(value)) for key, value in element.items())
    return next((value.strip() for key, value in others if key.lower() == name.lower()), "")


def language_at(element: _Element) -> str:
    """Return the xml:lang that holds for an element, '' when there is none."""
    ancestors = (element, *element.iterancestors())
    return next((lang for node in ancestors if (lang := node.get(f"{_XML}lang"))), "")


def markup_in(element: _Element) -> str:
    """Return the children of an element as HTML, without prefixes: an Atom `xhtml` content."""
    root = etree.Element("div")
    root.extend(deepcopy(child) for child in element)
    for node in root.iter():
        if isinstance(node.tag, str):
            node.tag = split_tag(node)[1].rpartition(":")[2] or "span"
    etree.cleanup_namespaces(root)
    text = (element.text or "").strip()
    if len(root) == 1 and root[0].tag == "div" and not text:  # not part of the content: RFC 4287 §3.1.1.3
        root, text = root[0], root[0].text or ""
    inner = [html.escape(text, quote=False)]
    inner += [etree.tostring(child, method="html", encoding="unicode") for child in root]
    return "".join(inner).strip()


def as_markup(text: str) -> str:
    """Return text that may be HTML, or HTML escaped once too often, as HTML; plain text in paragraphs."""
    if _HTML_TAG.search(text):
        return text
    if _ESCAPED_TAG.search(text):
        return html.unescape(text)
    return as_paragraphs(html.unescape(text))


def as_paragraphs(text: str) -> str:
    """Return plain text as HTML, a paragraph for each run of lines between empty ones."""
    return "".join(f"<p>{html.escape(part)}</p>" for part in re.split(r"\n\s*\n", text) if part.strip())
