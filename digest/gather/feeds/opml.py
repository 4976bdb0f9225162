"""Lists of sources as other readers write and read them (OPML 2.0, opml.org/spec2.opml).

What OPML has no word for (a page and its link pattern, language, weight, use) stands in attributes of our
own, which other readers pass over: to them a page is an ordinary link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from digest.domain.errors import InvalidInput
from digest.domain.sources import Excerpt, SourceKind
from digest.gather.plain import plain_line
from digest.gather.urls import comparison_key, given_url

MAX_BYTES = 4 * 1024 * 1024
NOTHING_IMPORTED = "nothing was imported"
PATTERN_MAX = 500

_OURS = "urn:digest:source"
_OUR_KIND, _OUR_PATTERN = f"{{{_OURS}}}kind", f"{{{_OURS}}}linkPattern"
_OUR_LANGUAGE, _OUR_WEIGHT = f"{{{_OURS}}}language", f"{{{_OURS}}}weight"
_OUR_EXCERPT = f"{{{_OURS}}}excerpt"
_WEIGHTS = re.compile(r"(?:10|\d)(?:\.\d{1,6})?")
_BETWEEN = " / "

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
    """One source of the list. `folder` is where it stood, outermost first ("News / Europe"), '' at the top.

    `categories` are its labels as written, without the leading slash that OPML allows. `kind` is a feed
    unless Digest wrote the list; `link_pattern` belongs to a page.
    """

    title: str
    url: str
    folder: str = ""
    categories: tuple[str, ...] = ()
    kind: SourceKind = SourceKind.FEED
    link_pattern: str = ""
    language: str = ""
    weight: float = 1.0
    excerpt: Excerpt = Excerpt.TAKEAWAYS


@dataclass(frozen=True, slots=True)
class OpmlList:
    """The sources of a list in its order, and what is wrong with the outlines that are not among them.

    `problems` are sentences without a full stop that begin with the line.
    """

    sources: tuple[OpmlSource, ...]
    problems: tuple[str, ...] = ()


def write_opml(sources: Iterable[OpmlSource], *, title: str) -> bytes:
    """Return an OPML 2.0 file with a folder for each `folder`, which `read_opml` reads back to the same.

    Folders come in the order of their first source, what has none at the top. A title that is missing is the
    address; characters that XML cannot hold are left out.
    """
    root = etree.Element("opml", version="2.0", nsmap={"digest": _OURS})
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = plain_line(title)
    folders: dict[str, etree._Element] = {"": body}
    for source in sources:
        _write(_folder(folders, source.folder), source)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _folder(folders: dict[str, etree._Element], path: str) -> etree._Element:
    if path not in folders:
        above, _, name = path.rpartition(_BETWEEN)
        folders[path] = etree.SubElement(_folder(folders, above), "outline", text=plain_line(name))
    return folders[path]


def _write(folder: etree._Element, source: OpmlSource) -> None:
    is_feed = source.kind is SourceKind.FEED
    outline = etree.SubElement(folder, "outline", type="rss" if is_feed else "link")
    outline.set("text", plain_line(source.title) or source.url)
    outline.set("xmlUrl" if is_feed else "url", source.url)
    if source.categories:
        outline.set("category", ",".join(source.categories))
    if not is_feed:
        outline.set(_OUR_KIND, source.kind)
        outline.set(_OUR_PATTERN, "".join(filter(str.isprintable, source.link_pattern)))
    if source.language:
        outline.set(_OUR_LANGUAGE, source.language)
    if source.weight != 1:
        outline.set(_OUR_WEIGHT, f"{source.weight:g}")
    if source.excerpt is not Excerpt.TAKEAWAYS:
        outline.set(_OUR_EXCERPT, source.excerpt)


def read_opml(body: bytes, *, name: str) -> OpmlList:
    """Return the sources of an OPML file, each address once, however it is spelt (the first place it has).

    An outline that cannot be read costs no other. Raises `InvalidInput` with `name`, the line and the reason
    when the file is not OPML, or holds no feed that can be read. A DTD is refused.
    """
    root = _root(body, name)
    wrong: list[str] = []
    sources: dict[str, OpmlSource] = {}
    for outline, folder in _outlines(root):
        source = _source(outline, folder)
        if isinstance(source, str):
            wrong.append(f"line {outline.sourceline}: {source}")
        elif source:
            sources.setdefault(comparison_key(source.url), source)
    if wrong and not sources:
        others = f"; {len(wrong) - 1} more wrong: {'; '.join(wrong[1:4])}" if len(wrong) > 1 else ""
        raise InvalidInput(f"{name} {wrong[0]}{others}; {NOTHING_IMPORTED}")
    if not sources:
        raise InvalidInput(f"{name} names no feed: no outline of it has an xmlUrl; {NOTHING_IMPORTED}")
    return OpmlList(tuple(sources.values()), tuple(wrong))


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
        if element.tag == "outline" and not (_attribute(element, "xmlurl") or element.get(_OUR_KIND)):
            inner = _BETWEEN.join(part for part in (folder, _title(element)) if part)
        stack.extend((child, inner) for child in reversed(element))


def _source(outline: etree._Element, folder: str) -> OpmlSource | str | None:
    """Return the feed an outline names, what is wrong with it, or None for a folder or a note."""
    kind = outline.get(_OUR_KIND) or SourceKind.FEED
    if kind not in list(SourceKind):
        return f"'{plain_line(kind)[:40]}' is no kind of source"
    url = _attribute(outline, "xmlurl" if kind == SourceKind.FEED else "url")
    if not url:
        claims_feed = _attribute(outline, "type").lower() in ("rss", "atom") or kind != SourceKind.FEED
        missing = "xmlUrl" if kind == SourceKind.FEED else "address"
        return f"feed '{_title(outline)}' has no {missing}" if claims_feed else None
    try:
        url = given_url(url)
        comparison_key(url)
    except InvalidInput as exc:
        return str(exc)
    if not _is_pattern(pattern := outline.get(_OUR_PATTERN) or ""):
        return f"'{plain_line(pattern)[:40]}' is no pattern of links"
    weight, excerpt = outline.get(_OUR_WEIGHT) or "1", outline.get(_OUR_EXCERPT) or Excerpt.TAKEAWAYS
    if not _WEIGHTS.fullmatch(weight) or not 0.1 <= float(weight) <= 10:
        return f"'{plain_line(weight)[:40]}' is no weight of a source: from 0.1 to 10"
    if excerpt not in list(Excerpt):
        return f"'{plain_line(excerpt)[:40]}' is no use of a source: {' or '.join(Excerpt)}"
    categories = (label.strip(" /") for label in _attribute(outline, "category").split(","))
    return OpmlSource(
        _title(outline) or url,
        url,
        folder,
        tuple(plain_line(label) for label in categories if label),
        SourceKind(kind),
        pattern,
        plain_line(outline.get(_OUR_LANGUAGE) or "")[:16],
        float(weight),
        Excerpt(excerpt),
    )


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return len(text) <= PATTERN_MAX


def _title(outline: etree._Element) -> str:
    return plain_line(_attribute(outline, "title") or _attribute(outline, "text"))


def _attribute(element: etree._Element, name: str) -> str:
    """Return an attribute whatever its case: exporters write xmlUrl, xmlurl and XMLURL."""
    return next((str(value).strip() for key, value in element.items() if str(key).lower() == name), "")
