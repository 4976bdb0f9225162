"""Shorter forms of a sentence that say less but nothing else: words are removed, never added or moved.

An attribution ("police said") is never removed: it would turn a claim into a fact. Nor is what limits or
denies (although, unless, if, not): a cut that would hold one of a language's `limiting` words is not made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from digest.condense.language import Language
from digest.condense.standing import is_mid_quote
from digest.condense.words import count_words

SHORTEST = 8
"""Words that must be left for a shortened sentence to be one."""
MOST_FORMS = 8

_PARENTHESIS = re.compile(r"(?<!\s)(?P<whole>\s+\((?P<cut>[^()]*)\))(?=\s|[,.;:!?](?:\s|$)|$)")
_ASIDE = re.compile(
    r"(?P<whole>\s+(?P<dash>--|—|–)\s+(?P<cut>[^—–\"“”«»:;]{3,120}?)\s+(?P=dash))(?=\s[^\W\d_])"
)
_NOTHING = re.compile(r"(?!)")


def forms(sentence: str, language: Language) -> tuple[str, ...]:
    """Return the sentence and its shorter forms, each once, the sentence itself first.

    Cut are a connective in front ("But", "However,"), parentheses and what stands between two dashes, a
    clause that only adds (", who chairs the board," or at the end ", including …"), an age, and a day of the
    week. Where one form is cut in several ways at once, all cuts of it are safe together.
    """
    patterns = _patterns(language)
    found = [sentence]
    for shorten in _CUTS:
        cut = [shorter for form in found if (shorter := shorten(form, patterns)) and shorter != form]
        found += cut[: MOST_FORMS - len(found)]
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Patterns:
    connective: re.Pattern[str]
    closing_clause: re.Pattern[str]
    inner_clause: re.Pattern[str]
    day: re.Pattern[str]
    limiting: re.Pattern[str]


@cache
def _patterns(language: Language) -> _Patterns:
    return _Patterns(
        _connective(language),
        _closing_clause(language),
        _inner_clause(language),
        _day(language),
        re.compile(rf"(?<!\w){_any_of(tuple(language.limiting))}(?!\w)|n['’]t\b", re.IGNORECASE),
    )


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
    return re.compile(rf"(?<!-)(?P<whole>,\s+{_any_of(language.relatives)}\s(?P<cut>[^,;:\"“”«»–—]*))(?=\.$)")


def _inner_clause(language: Language) -> re.Pattern[str]:
    """Return a pattern for a clause between commas, where a verb that cannot belong to it follows."""
    if not (language.inner_relatives and language.verbs):
        return _NOTHING
    relative = rf"{_any_of(language.inner_relatives)}\s[^,;:\"“”«»–—]+"
    verb = rf"(?:{_any_of(tuple(language.verbs))}|[a-z]{{3,}}{language.past_ending or '(?!)'})\b(?!,)"
    # No comma before: the clause might hang on an apposition, whose second comma would go with it.
    return re.compile(rf"[^,]*[^\W\d_](?P<whole>,\s+(?P<cut>{relative}|\d\d?),)(?=\s{verb})")


def _day(language: Language) -> re.Pattern[str]:
    if not language.days:
        return _NOTHING
    # Between small letters, and not what it is bound to: "Black Friday", "Tuesday, March 3", "by Friday".
    small = "[^\\W\\d_A-Z]"
    bound = rf"(?!{_any_of(tuple(language.bound_to_day))}\s)"
    before, after = _any_of(language.day_prefixes), _any_of(language.day_suffixes)
    day = rf"(?:{before}\s)?(?i:{_any_of(language.days)})(?:\s{after})?"
    verb, saying = _any_of(tuple(language.verbs)), _any_of(tuple(language.saying))
    # At the end only after "said": "the latest came Monday" needs its day.
    return re.compile(
        rf"\s(?!(?!{saying}\s){small}+\s{day}\.$){bound}{small}+"
        rf"(?P<whole>\s(?P<cut>{day}))(?!\s{verb}\b)(?=\s{small}|\.$)"
    )


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


def _without_parentheses(sentence: str, patterns: _Patterns) -> str | None:
    for found in reversed(list(_PARENTHESIS.finditer(sentence)) if "(" in sentence else ()):
        sentence = _without(found, sentence, patterns) or sentence
    return sentence


def _without_aside(sentence: str, patterns: _Patterns) -> str | None:
    asides = list(_ASIDE.finditer(sentence))
    if len(asides) != 1 or sentence.count(asides[0]["dash"]) != 2 or "," in sentence[: asides[0].start()]:
        return None  # of "in Bonn, Germany -- the old capital -- voters" a comma would be missing
    return _without(asides[0], sentence, patterns)


def _without_inner_clause(sentence: str, patterns: _Patterns) -> str | None:
    return _without(patterns.inner_clause.match(sentence), sentence, patterns)


def _without_closing_clause(sentence: str, patterns: _Patterns) -> str | None:
    return _without(patterns.closing_clause.search(sentence), sentence, patterns)


def _without_day(sentence: str, patterns: _Patterns) -> str | None:
    found = list(patterns.day.finditer(sentence))
    return _without(found[0], sentence, patterns) if len(found) == 1 else None


_CUTS: tuple[Callable[[str, _Patterns], str | None], ...] = (
    _without_connective,
    _without_closing_clause,
    _without_inner_clause,
    _without_parentheses,
    _without_aside,
    _without_day,
)


def _without(found: re.Match[str] | None, sentence: str, patterns: _Patterns) -> str | None:
    """Return the sentence without what was found, unless that limits it or lies in somebody's own words."""
    if found is None or patterns.limiting.search(found["cut"]):
        return None
    before, after = sentence[: found.start("whole")], sentence[found.end("whole") :]
    return None if is_mid_quote(before) else _long_enough(before + after)


def _long_enough(sentence: str) -> str | None:
    return sentence if count_words(sentence) >= SHORTEST else None
