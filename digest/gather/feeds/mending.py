"""XML that is none: what most often breaks a feed, mended so that its items can still be told apart."""

from __future__ import annotations

import html
import re
from collections import Counter

MAX_OPEN = 200
"""How many tags may be open at once: libxml2 reads no further at 256."""

# To the end when it is not closed: looking for the end of each of many would take a minute a megabyte.
_CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.DOTALL)
_DECLARATION = re.compile(r"^[\ufeff\s]*<\?xml[^>]*\?>\ufeff?")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBERED = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,9}));")
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)(?:(\w{2,31});)?")
# No group is possessive here: until Python 3.11.5 those match wrongly.
_TAG = re.compile(
    r"<(/?)([a-zA-Z_][\w.:-]{0,100}+)([^<>\"']*+(?:(?:\"[^\"<]*+\"|'[^'<]*+')[^<>\"']*+){0,500})>"
)
_ATTRIBUTE = re.compile(r"""([a-zA-Z_][\w.:-]{0,60}+)\s*=\s*("[^"<]*"|'[^'<]*'|[^\s"'<>=]+)""")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^<>]*>", re.DOTALL)
_CUT_TAG = re.compile(r"<[!/?]?[a-zA-Z_][^<>]*+\Z")
_VOID = frozenset(
    {"area", "br", "col", "embed", "hr", "img", "input", "meta", "param", "source", "track", "wbr"}
)
_TELL_NOTHING_IN_HALF = frozenset(
    re.findall(
        r"\S+",
        "link guid id loc origlink title name pubdate published updated issued modified date created lastmod"
        " publication_date",
    )
)
_ITEMS = frozenset({"item", "entry"})


def repaired(text: str) -> str:
    """Return `text` without what no parser forgives: control characters, bare `&`, HTML's entities.

    The XML declaration goes too, since the text is decoded. What is well-formed stays what it is.
    """
    text = _NOT_XML.sub("", _DECLARATION.sub(_line_ends, text)).lstrip("\ufeff")
    parts = _CDATA.split(text)
    parts[::2] = [_AMPERSAND.sub(_xml_reference, _NUMBERED.sub(_character, part)) for part in parts[::2]]
    return "".join(parts)


def _line_ends(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def _character(match: re.Match[str]) -> str:
    """Return a numbered reference, '' when it names no character of XML."""
    code = int(match[1], 16) if match[1] else int(match[2])
    return match[0] if code <= 0x10FFFF and not _NOT_XML.match(chr(code)) else ""


def without_cdata(text: str) -> str:
    """Return `text` without its CDATA sections: what is markup for sure, or meant to be."""
    return _CDATA.sub("", text)


def _xml_reference(match: re.Match[str]) -> str:
    character = html.unescape(match[0]) if match[1] else match[0]
    return match[0].replace("&", "&amp;") if character == match[0] else html.escape(character)


def balanced(text: str) -> str:
    """Return `text` with its tags closed in the order they were opened, in time linear in its length.

    HTML's void tags are empty, an end that opens nothing is dropped, an end closes what is still open inside
    it, an item that begins inside another ends that one, and a text that stops in the middle is closed there:
    but half a link leads elsewhere and half a date is another day, so these are dropped.
    Over `MAX_OPEN` deep, tags are dropped and their text kept.
    """
    stack = _OpenTags()
    parts = _CDATA.split(text)
    parts[::2] = [stack.mend(part) for part in parts[::2]]
    return stack.closed("".join(_closed_cdata(part) for part in parts))


def _closed_cdata(part: str) -> str:
    return f"{part}]]>" if part.startswith("<![CDATA[") and not part.endswith("]]>") else part


class _OpenTags:
    """The tags that are open at one place of a text."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._count: Counter[str] = Counter()

    def mend(self, part: str) -> str:
        """Return a stretch of markup with its tags put right; a `<` that begins no tag is text."""
        mended: list[str] = []
        at = 0
        part = _COMMENT.sub("", part)
        for tag in _TAG.finditer(part):
            mended += (_as_text(part[at : tag.start()]), self._tag(tag))
            at = tag.end()
        return "".join((*mended, _as_text(part[at:])))

    def closed(self, text: str) -> str:
        """Return mended text with what is open at its end closed; half an address or date is dropped."""
        names = list(self._names)
        if names and names[-1].rpartition(":")[2].lower() in _TELL_NOTHING_IN_HALF:
            text = text[: text.rfind(f"<{names.pop()}")]
        return text + "".join(f"</{name}>" for name in reversed(names))

    def _tag(self, tag: re.Match[str]) -> str:
        closing, name, attributes = tag.groups()
        if closing:
            return self._close(name) if self._count[name] else ""
        written = f"<{name}{_attributes(attributes)}"
        if attributes.endswith("/") or name.lower() in _VOID:
            return f"{written}/>"
        before = self._close(name) if name in _ITEMS and self._count[name] else ""
        if len(self._names) >= MAX_OPEN:
            return before
        self._names.append(name)
        self._count[name] += 1
        return f"{before}{written}>"

    def _close(self, name: str) -> str:
        closed = []
        while True:
            inner = self._names.pop()
            self._count[inner] -= 1
            closed.append(f"</{inner}>")
            if inner == name:
                return "".join(closed)


def _attributes(written: str) -> str:
    """Return attributes quoted and each once; what is none is dropped."""
    if not written.strip(" /\t\r\n"):
        return ""
    found = {name: value.strip("\"'") for name, value in reversed(_ATTRIBUTE.findall(written))}
    return "".join(f' {name}="{value.replace(chr(34), "&quot;")}"' for name, value in reversed(found.items()))


def _as_text(stretch: str) -> str:
    """Return what stands between tags. A tag that the end cuts off is no text."""
    return _CUT_TAG.sub("", stretch).replace("<", "&lt;") if "<" in stretch else stretch
