"""Shorter forms of a sentence that say less but nothing else: words are removed, never added or moved.

An attribution ("police said") is never removed: it would turn a claim into a fact. Nor is a clause that
limits what was said (although, unless, if).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from digest.condense.language import Language
from digest.condense.words import count_words

SHORTEST = 8
"""Words that must be left for a shortened sentence to be one."""

_PARENTHESIS = re.compile(r"(?<!\s)\s+\([^()]*\)(?=\s|[,.;:!?](?:\s|$)|$)")
_NOTHING = re.compile(r"(?!)")


def forms(sentence: str, language: Language) -> tuple[str, ...]:
    """Return the sentence and its shorter forms, each once, the sentence itself first.

    Cut are a connective in front ("But", "However,"), parentheses, and a closing clause that only adds
    (", which …", ", including …") where no other clause follows it.
    """
    patterns = _patterns(language)
    found = [sentence]
    for shorten in (_without_connective, _without_parentheses, _without_closing_clause):
        found += [shorter for form in found if (shorter := shorten(form, patterns))]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Patterns:
    connective: re.Pattern[str]
    closing_clause: re.Pattern[str]


@cache
def _patterns(language: Language) -> _Patterns:
    return _Patterns(_connective(language), _closing_clause(language))


def _connective(language: Language) -> re.Pattern[str]:
    if not language.droppable:
        return _NOTHING
    # "In addition to the fine" is no connective, so all but the conjunctions need their comma.
    bare, with_comma = _any_of(language.conjunctions), _any_of(language.droppable)
    bound = _any_of(tuple(language.bound_to_conjunction))
    return re.compile(rf"(?:{bare},?\s+(?!{bound}\b)|{with_comma},\s+)(?=\w)", re.IGNORECASE)


def _closing_clause(language: Language) -> re.Pattern[str]:
    if not language.relatives:
        return _NOTHING
    return re.compile(rf"(?<!-),\s+{_any_of(language.relatives)}\s[^,;\"“”«»–—]*(?=\.$)")


def _any_of(phrases: tuple[str, ...]) -> str:
    """Return a pattern for any of the phrases, longest first; for none of them, one that never matches."""
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    return f"(?:{'|'.join(map(re.escape, longest_first))})" if phrases else "(?!)"


def _without_connective(sentence: str, patterns: _Patterns) -> str | None:
    connective = patterns.connective.match(sentence)
    if connective is None:
        return None
    rest = sentence[connective.end() :]
    capital = rest[0].upper()
    return _long_enough(capital + rest[1:] if capital.casefold() == rest[0].casefold() else rest)


def _without_parentheses(sentence: str, _: _Patterns) -> str | None:
    return _long_enough(_PARENTHESIS.sub("", sentence)) if "(" in sentence else None


def _without_closing_clause(sentence: str, patterns: _Patterns) -> str | None:
    clause = patterns.closing_clause.search(sentence)
    return _long_enough(sentence[: clause.start()] + sentence[clause.end() :]) if clause else None


def _long_enough(sentence: str) -> str | None:
    return sentence if count_words(sentence) >= SHORTEST else None
