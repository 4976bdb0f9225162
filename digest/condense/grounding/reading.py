"""A text as grounding reads it: tokens with their places, and the figures among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from digest.condense.language import Language, get_language
from digest.condense.words import stems

KEY = 6
"""Letters of a stem that are compared: decide and decision, Verkauf and verkaufen are then one."""

_LETTER = "A-Za-zÀ-ɏ"
_TOKEN = re.compile(
    # A name with a figure in it: T4, 88P, TR-70.
    rf"(?P<code>[A-ZÀ-Þ][{_LETTER}]*-\d+\w*|[{_LETTER}]+\d\w*|\d+[A-Z][A-Z\d]*(?![a-zß-ÿ]))"
    rf"|(?P<number>(?<!\d)\d{{1,3}}(?:[\u00a0\u202f\u2009'’ ]\d{{3}})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,:]\d+)*)"
    r"|(?P<word>[^\W\d_]+?n['’]t(?![^\W\d_])|[^\W\d_]+)"
    r"|(?P<mark>°C?|[^\w\s])"
)
_SPACED_NUMBER = re.compile(r"\d{1,3}(?: \d{3})+")
_OPENING = frozenset('.!?:;–—"“„«‘»[(')
_CLAUSE_MARKS = frozenset(',;:–—()"“”„«»!?')


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    NUMBER = "number"
    CODE = "code"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, name with a figure, or mark, `[start, end)` of its text.

    `folded` has no case; `key` is what two forms of one word share, '' for a word without a subject. `opens`:
    it stands where any word has a capital. `clause` counts the clauses of the text from 0.
    """

    kind: Kind
    text: str
    folded: str
    start: int
    end: int
    key: str
    opens: bool
    clause: int

    @property
    def is_capital(self) -> bool:
        """Whether it begins with a capital letter."""
        return self.text[0].isupper()


def read_tokens(text: str, language: Language, *, spaced_thousands: bool = False) -> list[Token]:
    """Return the tokens of one sentence or takeaway, in order."""
    tokens: list[Token] = []
    opens, clause = True, 0
    for found in _matches(text, spaced_thousands=spaced_thousands):
        kind, piece = Kind(found.lastgroup), found[0]
        folded = piece.casefold().replace("’", "'")
        key = _key(folded, language.code) if kind is Kind.WORD else ""
        tokens.append(Token(kind, piece, folded, found.start(), found.end(), key, opens, clause))
        if kind is Kind.MARK:
            opens = opens or piece in _OPENING
            clause += piece in _CLAUSE_MARKS
        else:
            opens = False
    return tokens


def _matches(text: str, *, spaced_thousands: bool) -> list[re.Match[str]]:
    """Return the matches, with "2024 300" apart where a plain space does not part thousands."""
    matches: list[re.Match[str]] = []
    at = 0
    while found := _TOKEN.search(text, at):
        if not spaced_thousands and found.lastgroup == "number" and _SPACED_NUMBER.match(found[0]):
            found = _TOKEN.match(text, at := found.start(), found.start() + found[0].index(" "))
            if found is None:  # cannot be: what is left begins with a digit
                break
        matches.append(found)
        at = found.end()
    return matches


@lru_cache(maxsize=50_000)
def _key(folded: str, code: str | None) -> str:
    found = [] if folded.endswith("n't") else stems([folded], get_language(code))
    return found[0][:KEY] if found else ""
