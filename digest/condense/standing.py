"""Can a sentence stand alone, away from the ones around it?"""

from __future__ import annotations

import re
from functools import cache

from digest.condense.language import Language
from digest.condense.words import WORD

_PAIRS = (("«", "»"), ("‹", "›"), ("「", "」"), ("『", "』"), ("(", ")"), ("[", "]"))
_OPENING_QUOTE = re.compile(r"\W*[\"“«„‚「‘]|'\w")
_NOTHING = re.compile(r"(?!)")


def leans(sentence: str, language: Language) -> bool:
    """Tell whether a sentence opens with a pronoun or connective whose meaning is in another sentence."""
    first = WORD.search(sentence)
    if first is None or (_is_word(first[0]) and first[0].casefold() in language.leaning):
        return True
    folded = sentence[first.start() :].casefold().replace("’", "'")
    return _phrases(language.leaning_phrases).match(folded) is not None


def is_personal(sentence: str, language: Language) -> bool:
    """Tell whether the writer speaks or the reader is spoken to: first or second person."""
    return any(word.casefold() in language.person for word in WORD.findall(sentence) if _is_word(word))


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
def _phrases(phrases: tuple[str, ...]) -> re.Pattern[str]:
    if not phrases:
        return _NOTHING
    return re.compile(rf"(?:{'|'.join(map(re.escape, phrases))})(?!\w)")
