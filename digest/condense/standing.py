"""Can a sentence stand alone, away from the ones around it?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from digest.condense.language import Language
from digest.condense.words import WORD

_PAIRS = (("«", "»"), ("‹", "›"), ("「", "」"), ("『", "』"), ("(", ")"), ("[", "]"))
_OPENING_QUOTE = re.compile(r"\W*[\"“«„‚「‘]|'\w")


def leans(sentence: str, language: Language) -> bool:
    """Tell whether a sentence opens with a pronoun or connective whose meaning is in another sentence."""
    first = WORD.search(sentence)
    if first is None or (_is_word(first[0]) and first[0].casefold() in language.leaning):
        return True
    folded = sentence[first.start() :].casefold().replace("’", "'")
    return _openings(language).match(folded) is not None


def is_personal(words: Iterable[str], language: Language) -> bool:
    """Tell by the words of a sentence whether its writer speaks or addresses the reader."""
    return any(word.casefold() in language.person and _is_word(word) for word in words)


def _is_word(word: str) -> bool:
    """Tell a word from an acronym that is spelt like one: US and us, IT and it."""
    return len(word) == 1 or not word.isupper()


def opens_with_quote(sentence: str) -> bool:
    """Tell whether a sentence begins with someone's words, so that who speaks comes late or never."""
    return _OPENING_QUOTE.match(sentence) is not None


def is_mid_quote(sentence: str) -> bool:
    """Tell whether a quotation or parenthesis began before the sentence or goes on after it."""
    if sentence.count('"') % 2 or not _curly_quotes_close(sentence):
        return True
    return any(sentence.count(one) != sentence.count(other) for one, other in _PAIRS)


def _curly_quotes_close(sentence: str) -> bool:
    low, left, right = (sentence.count(mark) for mark in "„“”")
    if low:  # „so“ in German, „tak” in Polish
        return low == left + right
    return left == right if left else right % 2 == 0  # ”så” in Swedish


@cache
def _openings(language: Language) -> re.Pattern[str]:
    """Return a pattern for the phrases that lean, and the vague ones where nothing says which is meant."""
    leaning, vague = (_any_of(phrases) for phrases in (language.leaning_phrases, language.vague))
    said = _any_of(tuple(language.complements))
    return re.compile(rf"{leaning}(?!\w)|{vague}(?!\w)(?!\s+{said}(?!\w))")


def _any_of(phrases: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(map(re.escape, phrases))})" if phrases else "(?!)"
