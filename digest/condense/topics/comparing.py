"""How the words of rules and articles are compared: case, diacritics, whole words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from digest.condense.words import CJK

_IDEOGRAPH = re.compile(f"[{CJK}]")
_BETWEEN_WORDS = re.compile(r"(?<=\w)[ -](?=\w)")
_LATIN_MARKS = re.compile("([a-z])[\u0300-\u036f]+")
_ALIKE = str.maketrans("’‐", "'-")
_STROKES = str.maketrans("øłđħŧı", "oldhti")
"""Latin letters that Unicode does not take apart."""


def compared(text: str) -> str:
    """Return `text` as it is compared: case-folded, one kind of apostrophe, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)
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

    A hyphen between words is as good as a space. But for that a literal between two looks at one character:
    no text makes it slow.
    """
    if not text:
        return re.compile(r"(?!)")
    before = "" if _IDEOGRAPH.match(text[0]) else r"(?<!\w)"
    after = "" if is_prefix or _IDEOGRAPH.match(text[-1]) else r"(?!\w)"
    words = (re.escape(word) for word in _BETWEEN_WORDS.split(text))
    return re.compile(f"{before}{'[ -]'.join(words)}{after}")


def places_of(text: str, within: str, *, is_prefix: bool = False, end: int | None = None) -> list[int]:
    """Return where a compared text begins in another, up to `end`, as `pattern` matches it.

    Nearly no article holds the longest word of a phrase, and to see that is twenty times as quick.
    """
    if not text or _longest_word(text) not in within:
        return []
    found = pattern(text, is_prefix=is_prefix).finditer(within, 0, len(within) if end is None else end)
    return [match.start() for match in found]


@lru_cache(maxsize=10_000)
def _longest_word(text: str) -> str:
    return max(_BETWEEN_WORDS.split(text), key=len)
