"""How the words of rules and articles are compared: case, diacritics, whole words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from digest.condense.words import CJK

_IDEOGRAPH = re.compile(f"[{CJK}]")
_LATIN_MARKS = re.compile("([a-z])[\u0300-\u036f]+")
_STROKES = str.maketrans("øłđħŧı", "oldhti")
"""Latin letters that Unicode does not take apart."""


def compared(text: str) -> str:
    """Return `text` as it is compared: case-folded, one kind of apostrophe, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(folded.split())


def without_diacritics(folded: str) -> str:
    """Return a compared text with its Latin letters bare: zürich, łódź → zurich, lodz.

    Only Latin ones: to a Cyrillic й, a Japanese が or a Hindi vowel the mark is the letter.
    """
    if folded.isascii():
        return folded
    parted = _LATIN_MARKS.sub(r"\1", unicodedata.normalize("NFD", folded))
    return unicodedata.normalize("NFC", parted).translate(_STROKES)


@lru_cache(maxsize=10_000)
def pattern(text: str, *, is_prefix: bool = False) -> re.Pattern[str]:
    """Match a compared text as whole words, or as their beginning; next to a CJK character, anywhere.

    A literal between two looks at one character: no text makes it slow.
    """
    if not text:
        return re.compile(r"(?!)")
    before = "" if _IDEOGRAPH.match(text[0]) else r"(?<!\w)"
    after = "" if is_prefix or _IDEOGRAPH.match(text[-1]) else r"(?!\w)"
    return re.compile(f"{before}{re.escape(text)}{after}")
