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

_CODES = etree.ErrorTypes
_FAULTS = {
    _CODES.ERR_DOCUMENT_EMPTY: "it is empty or begins with text: an OPML file begins with <opml>",
    _CODES.ERR_DOCUMENT_END: "something stands after its last tag: remove that",
    _CODES.ERR_TAG_NAME_MISMATCH: "a tag before it was never closed: write <outline …/> or add </outline>",
    _CODES.ERR_TAG_NOT_FINISHED: "it breaks off before all its tags are closed: export the list again",
    _CODES.ERR_GT_REQUIRED: "a tag has no end there: it breaks off, or a > is missing",
    _CODES.ERR_NAME_REQUIRED: "a lone & or < stands there: write '&amp;' or '&lt;'",
    _CODES.ERR_ENTITYREF_SEMICOL_MISSING: "a lone & stands there, as in many addresses: write '&amp;'",
    _CODES.ERR_UNDECLARED_ENTITY: "XML knows no '&nbsp;' and the like: write the character itself",
    _CODES.ERR_LT_IN_ATTRIBUTE: "a < stands inside quotes: write '&lt;'",
    _CODES.ERR_ATTRIBUTE_NOT_STARTED: "the value of an attribute is not in quotes",
    _CODES.ERR_ATTRIBUTE_NOT_FINISHED: "a quote is opened there and not closed",
    _CODES.ERR_ATTRIBUTE_WITHOUT_VALUE: "an attribute has no value",
    _CODES.ERR_ATTRIBUTE_REDEFINED: "an attribute is given twice",
    _CODES.ERR_SPACE_REQUIRED: "a blank is missing there",
    _CODES.ERR_INVALID_CHAR: "a character stands there that XML does not allow: remove it",
    _CODES.ERR_INVALID_ENCODING: "a byte there is not of its encoding: save the file as UTF-8",
    _CODES.ERR_UNSUPPORTED_ENCODING: "its encoding is unknown: save the file as UTF-8",
}


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
    except etree.XMLSyntaxError as exc:
        raise InvalidInput(
            f"{name} line {exc.lineno or 1}: not XML: {_fault(exc)}; {NOTHING_IMPORTED}"
        ) from exc
    except ValueError as exc:
        raise InvalidInput(f"{name} line 1: not XML: its encoding is unknown; {NOTHING_IMPORTED}") from exc
    if tree.docinfo.internalDTD is not None or b"<!DOCTYPE" in body:
        raise InvalidInput(f"{name} declares a DTD, which is not read: remove it; {NOTHING_IMPORTED}")
    root = tree.getroot()
    if str(root.tag).lower() != "opml":
        raise InvalidInput(f"{name} line {root.sourceline}: <{root.tag}> is not OPML; {NOTHING_IMPORTED}")
    return root


def _fault(exc: etree.XMLSyntaxError) -> str:
    """Return in words what the parser stumbled over, and what mends it."""
    code = getattr(exc, "code", None)  # which the types of lxml leave out
    return _FAULTS.get(code, "its markup is damaged there: mend it, or export the list again")


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
