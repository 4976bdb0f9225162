"""XML of strangers as a tree: decoded, mended where it is damaged, refused where it could hurt.

libxml2 reads it, which stops by itself 256 tags deep and at 10 MB of one text; no DTD, no entity and nothing
from elsewhere is ever read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree
from lxml.etree import _Element

from digest.gather.encoding import Decoded, decode
from digest.gather.feeds.entries import NotAFeed
from digest.gather.feeds.mending import balanced, repaired, without_cdata

MAX_TAGS = 300_000
MAX_ATTRIBUTES = 200
"""Of one tag: lxml looks an attribute up by going through all of them."""

_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# RSS 0.91 asks for it (section "DOCTYPE" of Netscape's specification). It is dropped, and its DTD not read.
_NETSCAPE = re.compile(
    r'<!DOCTYPE\s+rss\s+PUBLIC\s+"-//Netscape Communications//DTD RSS 0\.91//EN"\s+"[^"<>]*"\s*>',
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Document:
    """A tree, and in words what was wrong with the bytes it was read from."""

    root: _Element
    problems: tuple[str, ...] = ()


def parsed_xml(
    body: bytes, *, url: str, encoding: str | None, what: str = "a feed", max_tags: int = MAX_TAGS
) -> Document:
    """Return the tree of `body`, fetched from `url`, mended as far as it has to be.

    Comments and processing instructions are gone; `base` of an element honours xml:base.
    Raises `NotAFeed` when it declares a DTD or entities, has over `max_tags` tags or 200 attributes in
    one, or nothing is left of it.
    """
    read = decode(body, encoding)
    text = _NETSCAPE.sub("", repaired(read.text), count=1)
    if text.count("<") > 2 * max_tags:
        raise NotAFeed(f"{url} is not read as {what}: it has over {max_tags} tags")
    if _DOCTYPE.search(text) and _DOCTYPE.search(_COMMENT.sub("", without_cdata(text))):
        raise NotAFeed(f"{url} is not read as {what}: it declares a DTD or entities")
    root, damage = _parsed(text, url)
    if damage and damage.breaks:
        root, _ = _parsed(balanced(text), url)
    if root is None:
        raise NotAFeed(f"{url} is not {what}: it is XML that is damaged beyond reading")
    if root.xpath(f"boolean(//*[@*[{MAX_ATTRIBUTES + 1}]])"):
        raise NotAFeed(f"{url} is not read as {what}: a tag has over {MAX_ATTRIBUTES} attributes")
    return Document(root, (*_misnamed(read), *([damage.told()] if damage else [])))


@dataclass(frozen=True, slots=True)
class _Damage:
    """The first place where XML is none. A prefix that is not declared `breaks` nothing."""

    line: int
    breaks: bool = True

    def told(self) -> str:
        if self.breaks:
            return f"it is not well-formed XML (line {self.line}): read all the same"
        return f"it uses a prefix that it does not declare (line {self.line}): read all the same"


def _parsed(text: str, url: str) -> tuple[_Element | None, _Damage | None]:
    """Return the tree as far as it can be told, and what is worst about it: None when it is well-formed."""
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser, base_url=url)
    except etree.XMLSyntaxError as exc:
        return None, _Damage(exc.lineno or 1)
    found = [_Damage(error.line, error.domain_name != "NAMESPACE") for error in parser.error_log]
    return root, next((damage for damage in found if damage.breaks), found[0] if found else None)


def _misnamed(read: Decoded) -> list[str]:
    return [] if read.is_as_declared else [f"it is declared {read.declared}: read as {read.encoding}"]
