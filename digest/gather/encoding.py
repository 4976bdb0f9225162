"""Bytes to text when the declarations may be wrong, missing or hostile."""

from __future__ import annotations

import codecs
import re

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
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)|<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)


def decoded(body: bytes, encoding: str | None = None) -> str:
    """Return `body` as text: never fails, at worst with replacement characters.

    A byte order mark is believed first, then `encoding` (the transport's) and the document's own
    declaration if they fit but for a few bytes, then UTF-8 if it fits, then windows-1252, which is what
    browsers read an undeclared page as.
    """
    for mark, name in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    for name in _declared_encodings(body, encoding):
        text = body.decode(name, "replace")
        if text.count("\ufffd") <= len(text) // 1000 + 1:
            return text
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("windows-1252", "replace")


def _declared_encodings(body: bytes, encoding: str | None) -> list[str]:
    match = _DECLARED.search(body[:4096])
    declared = (match[1] or match[2]).decode("ascii", "replace") if match else None
    names = [_as_browsers_read(name) for name in (encoding, declared) if name and _TRUSTED.fullmatch(name)]
    return [name for name in names if _is_known(name)]


def _is_known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def _as_browsers_read(name: str) -> str:
    """Return the superset that pages mean by a label (WHATWG Encoding §4.2)."""
    supersets = {"iso-8859-1": "windows-1252", "latin1": "windows-1252", "latin-1": "windows-1252"}
    supersets |= {"us-ascii": "utf-8", "ascii": "utf-8", "gb2312": "gb18030", "gbk": "gb18030"}
    return supersets.get(name.lower(), name)
