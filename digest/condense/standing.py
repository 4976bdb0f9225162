"""Can a sentence stand alone, away from the ones around it?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import dropwhile, islice

from digest.condense.language import Language
from digest.condense.words import WORD

SHORTEST_VERB = 5
"""Letters a word needs to be taken for a verb by its end."""
LEADING = 5
"""Words among which the verb of a sentence without a subject is looked for."""

_PAIRS = (("«", "»"), ("‹", "›"), ("「", "」"), ("『", "』"), ("(", ")"), ("[", "]"))
_OPENING_QUOTE = re.compile(r"\W*[\"“”«»„‚「‘]|'\w")


def leans(sentence: str, language: Language) -> bool:
    """Tell whether a sentence opens with what is only understood from another: a pronoun, a connective, a
    vague "the decision", or a verb whose subject was named before.
    """
    first = WORD.search(sentence)
    if first is None:
        return True
    plain = sentence[first.start() :].replace("’", "'")
    openings, opening = _openings(language), plain[0].lower() + plain[1:]
    if openings.standing.match(opening):
        return False
    if _is_word(first[0]) and first[0].casefold() in language.leaning:
        return True
    if openings.phrases.match(plain.casefold()) or openings.patterns.match(opening):
        return True
    return _leaves_subject_out(opening, language)


def _leaves_subject_out(opening: str, language: Language) -> bool:
    """Tell whether a verb comes first and no name follows that could be its subject."""
    if not language.subjectless:
        return False
    leading = dropwhile(lambda word: word in language.before_verb, islice(WORD.findall(opening), LEADING))
    verb, following = next(leading, ""), next(leading, "")
    ends = len(verb) >= SHORTEST_VERB and verb.endswith(tuple(language.subjectless_endings))
    return verb.islower() and (ends or verb in language.subjectless) and not following[:1].isupper()


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


@dataclass(frozen=True, slots=True)
class _Openings:
    phrases: re.Pattern[str]
    patterns: re.Pattern[str]
    standing: re.Pattern[str]


@cache
def _openings(language: Language) -> _Openings:
    """Return patterns for the openings that lean, the vague ones where nothing says which is meant."""
    leaning, vague = (_any_of(phrases) for phrases in (language.leaning_phrases, language.vague))
    said = _any_of(tuple(language.complements))
    return _Openings(
        re.compile(rf"{leaning}(?!\w)|{vague}(?!\w)(?!\s+{said}(?!\w))"),
        re.compile("|".join(language.leaning_patterns) or "(?!)"),
        re.compile("|".join(language.standing_patterns) or "(?!)"),
    )


def _any_of(phrases: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(map(re.escape, phrases))})" if phrases else "(?!)"
