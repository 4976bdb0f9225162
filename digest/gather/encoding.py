"""Bytes to text when the declarations may be wrong, missing or hostile."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

# What a declaration may name. UTF-7 and Python's own codecs (unicode_escape, punycode, …) can hide markup
# from whoever looks at the bytes, so they are read as the next candidate instead.
_TRUSTED = re.compile(
    r"utf-?8|us-ascii|ascii|latin-?[0-9]+|iso-?8859-?[0-9]+(?:-[ie])?|(?:windows|cp)-?[0-9]{3,4}|koi8-?[rut]"
    r"|shift[_-]?jis|s?jis|euc[_-]?(?:jp|kr|cn|tw)|iso-2022-jp|gb(?:2312|k|18030)|big5(?:-?hkscs)?|tis-?620"
    r"|mac[_-]?(?:roman|cyrillic)|utf-?16(?:[_-]?[lb]e)?",
    re.IGNORECASE,
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How markup begins in UTF-16 without a mark (XML 1.0, appendix F.1).
_UNMARKED = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)|<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body as text, and the encoding it was read in as Python names it.

    `declared` is what the transport or else the document named, as written there, None when neither did.
    """

    text: str
    encoding: str
    declared: str | None = None

    @property
    def is_as_declared(self) -> bool:
        """Whether the declaration was right, or only named less than it meant (us-ascii for ASCII)."""
        if self.declared is None or self.text.isascii():
            return True
        meant = _as_browsers_read(self.declared)
        return _is_known(meant) and codecs.lookup(meant).name.startswith(_family(self.encoding))


def decoded(body: bytes, encoding: str | None = None) -> str:
    """Return the text of `decode`."""
    return decode(body, encoding).text


def decode(body: bytes, encoding: str | None = None) -> Decoded:
    """Return `body` as text: never fails, at worst with replacement characters.

    A byte order mark is believed first. Then UTF-8 wherever it fits text beyond ASCII, whatever is declared:
    other encodings make that pattern by chance about never, and "iso-8859-1" is what servers say of
    everything. Then `encoding` (the transport's) and the document's own declaration if they fit but for a
    few bytes, then windows-1252, which is what browsers read an undeclared page as.
    """
    named = _declared_names(body, encoding)
    declared = named[0] if named else None
    for mark, name in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return Decoded(body[len(mark) :].decode(name, "replace"), name, declared)
    for start, name in _UNMARKED:
        if body.startswith(start):
            return Decoded(body.decode(name, "replace"), name, declared)
    if not body.isascii() and (text := _strictly_utf_8(body)) is not None:
        return Decoded(text, "utf-8", declared)
    for name in _readable(named):
        text = body.decode(name, "replace")
        if text.count("\ufffd") <= len(text) // 1000 + 1:
            return Decoded(text, name, declared)
    fallback = "utf-8" if body.isascii() else "windows-1252"
    return Decoded(body.decode(fallback, "replace"), fallback, declared)


def _strictly_utf_8(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _declared_names(body: bytes, encoding: str | None) -> list[str]:
    match = _DECLARED.search(body[:4096])
    written = (match[1] or match[2]).decode("ascii", "replace") if match else None
    return [name for name in (encoding, written) if name]


def _readable(names: list[str]) -> list[str]:
    """Return what of `names` can be tried. Not UTF-16: its markup would begin with a NUL byte."""
    read = [_as_browsers_read(name) for name in names if _TRUSTED.fullmatch(name)]
    return [name for name in read if _is_known(name) and not codecs.lookup(name).name.startswith("utf-16")]


def _is_known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def _family(name: str) -> str:
    """Return how all names of an encoding begin: "utf-16" may be either order."""
    return "utf-16" if name.startswith("utf-16") else codecs.lookup(name).name


def _as_browsers_read(name: str) -> str:
    """Return the superset that pages mean by a label (WHATWG Encoding §4.2)."""
    supersets = {"iso-8859-1": "windows-1252", "latin1": "windows-1252", "latin-1": "windows-1252"}
    supersets |= {"us-ascii": "windows-1252", "ascii": "windows-1252", "gb2312": "gb18030", "gbk": "gb18030"}
    return supersets.get(name.lower(), name)
