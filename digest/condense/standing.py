"""Can a sentence stand alone, away from the ones around it?"""

from __future__ import annotations

import re
from functools import cache

from digest.condense.language import Language
from digest.condense.words import WORD

_QUOTE_PAIRS = (("“", "”"), ("«", "»"), ("„", "“"), ("「", "」"), ("(", ")"), ("[", "]"))
_OPENING_QUOTE = re.compile(r"\W*[\"“«„‚「‘]|'\w")
_NOTHING = re.compile(r"(?!)")


def leans(sentence: str, language: Language) -> bool:
    """Tell whether a sentence opens with a pronoun or connective whose meaning is in another sentence."""
    first = WORD.search(sentence)
    if first is None:
        return True
    if first[0].casefold() in language.leaning:
        return True
    return _phrases(language.leaning_phrases).match(sentence, first.start()) is not None


def opens_with_quote(sentence: str) -> bool:
    """Tell whether a sentence begins with someone's words, so that who speaks comes late or never."""
    return _OPENING_QUOTE.match(sentence) is not None


def is_mid_quote(sentence: str) -> bool:
    """Tell whether a quotation or parenthesis began before the sentence or goes on after it."""
    if sentence.count('"') % 2:
        return True
    return any(_unbalanced(sentence, opening, closing) for opening, closing in _QUOTE_PAIRS)


def _unbalanced(sentence: str, opening: str, closing: str) -> bool:
    if opening == "“" and "„" in sentence:  # German „…“ closes with what opens in English
        return False
    if opening == "„":
        return sentence.count("„") != sentence.count("“") + sentence.count("”")
    return sentence.count(opening) != sentence.count(closing)


@cache
def _phrases(phrases: tuple[str, ...]) -> re.Pattern[str]:
    if not phrases:
        return _NOTHING
    return re.compile(rf"(?:{'|'.join(map(re.escape, phrases))})(?!\w)", re.IGNORECASE)
