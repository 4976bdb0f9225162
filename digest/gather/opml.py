"""Lists of feeds as other readers export them (OPML 2.0, opml.org/spec2.opml)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from digest.domain.errors import InvalidInput
from digest.gather.plain import plain_line
from digest.gather.urls import is_http_url

MAX_BYTES = 4 * 1024 * 1024
NOTHING_IMPORTED = "nothing was imported"


@dataclass(frozen=True, slots=True)
class OpmlSource:
    """One feed of the list. `folder` is where it stood, outermost first ("News / Europe"), '' at the top."""

    title: str
    url: str
    folder: str = ""


def read_opml(body: bytes, *, name: str) -> tuple[OpmlSource, ...]:
    """Return the feeds of an OPML file in its order, each URL once (the first place it stands in).

    All or nothing: raises `InvalidInput` with `name`, the line and the reason when the file is not OPML,
    names no feed, or a single outline of it is wrong. A DTD is refused.
    """
    root = _root(body, name)
    wrong: list[str] = []
    sources: dict[str, OpmlSource] = {}
    for outline, folder in _outlines(root):
        source = _source(outline, folder)
        if isinstance(source, str):
            wrong.append(f"line {outline.sourceline}: {source}")
        elif source:
            sources.setdefault(source.url, source)
    if wrong:
        others = f"; {len(wrong) - 1} more wrong: {'; '.join(wrong[1:4])}" if len(wrong) > 1 else ""
        raise InvalidInput(f"{name} {wrong[0]}{others}; {NOTHING_IMPORTED}")
    if not sources:
        raise InvalidInput(f"{name} names no feed: no outline of it has an xmlUrl; {NOTHING_IMPORTED}")
    return tuple(sources.values())


def _root(body: bytes, name: str) -> etree._Element:
    if len(body) > MAX_BYTES:
        raise InvalidInput(f"{name} is larger than {MAX_BYTES >> 20} MiB; {NOTHING_IMPORTED}")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.ElementTree(etree.fromstring(body, parser))
    except (etree.XMLSyntaxError, ValueError) as exc:
        line = exc.lineno if isinstance(exc, etree.XMLSyntaxError) else 1
        raise InvalidInput(f"{name} line {line or 1}: not XML ({exc}); {NOTHING_IMPORTED}") from exc
    if tree.docinfo.internalDTD is not None or b"<!DOCTYPE" in body:
        raise InvalidInput(f"{name} declares a DTD, which is not read: remove it; {NOTHING_IMPORTED}")
    root = tree.getroot()
    if str(root.tag).lower() != "opml":
        raise InvalidInput(f"{name} line {root.sourceline}: <{root.tag}> is not OPML; {NOTHING_IMPORTED}")
    return root


def _outlines(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Yield every outline with the folders above it, in document order, however deep they are nested."""
    stack = [(child, "") for child in reversed(root)]
    while stack:
        element, folder = stack.pop()
        if element.tag == "outline":
            yield element, folder
        inner = folder
        if element.tag == "outline" and not _attribute(element, "xmlurl"):
            inner = " / ".join(part for part in (folder, _title(element)) if part)
        stack.extend((child, inner) for child in reversed(element))


def _source(outline: etree._Element, folder: str) -> OpmlSource | str | None:
    """Return the feed an outline names, what is wrong with it, or None for a folder or a note."""
    url = _attribute(outline, "xmlurl")
    if not url:
        claims_feed = _attribute(outline, "type").lower() in ("rss", "atom")
        return f"feed '{_title(outline)}' has no xmlUrl" if claims_feed else None
    if not is_http_url(url):
        return f"'{plain_line(url)[:120]}' is not an http(s) URL"
    return OpmlSource(_title(outline) or url, url, folder)


def _title(outline: etree._Element) -> str:
    return plain_line(_attribute(outline, "title") or _attribute(outline, "text"))


def _attribute(element: etree._Element, name: str) -> str:
    """Return an attribute whatever its case: exporters write xmlUrl, xmlurl and XMLURL."""
    return next((str(value).strip() for key, value in element.items() if str(key).lower() == name), "")
