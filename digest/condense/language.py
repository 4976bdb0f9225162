"""The word lists of a language: which words carry no subject, lean on another sentence, do not end one.

Each language is one file, `languages/<ISO 639-1 code>.toml`; a new file is all a new language takes.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Language:
    """One language's lists, all case-folded, with plain apostrophes. A language without a file has none.

    - `stemmer` is the name of a Snowball algorithm, `stop` the words that carry no subject.
    - `leaning` are first words, `leaning_phrases` first phrases that need the sentence before, as do `vague`
      ones unless one of `complements` says which is meant ("the decision to …"), and openings that one of the
      regular expressions `leaning_patterns` matches. So does a verb that comes first, or after `before_verb`,
      and leaves its subject out: one of `subjectless`, or one that ends in one of `subjectless_endings`.
      What one of `standing_patterns` matches stands alone after all. Patterns see the first letter small.
    - Of these, `conjunctions` can be cut off unless a word of `bound_to_conjunction` follows, and `droppable`
      where a comma follows. After a comma, `relatives` open a clause that only adds.
    - Between commas, `inner_relatives` do so where one of `verbs`, or a word in `past_ending`, goes on. No
      cut may hold one of `limiting`. `days` of the week are written with or without one of
      `day_prefixes` and `day_suffixes`; they stay after a word of `bound_to_day`, and at the end
      of a sentence after all but those of `saying`.
    - `person` are words of the first and second person, `judging` those that judge rather than report.
    - A full stop after `abbreviations` never ends a sentence, after `abbreviations_number` and
      words that end in one of `abbreviated_ends` not before a number, after `abbreviations_final` only before
      a function word. `ordinal_dot`: "3." may be an ordinal.
    - `chrome` begins what a page says of itself, `chrome_anywhere` is found within it, `bylines` stand before
      a name, `credits` and a mark before that of a photographer at the end of a caption.
    - `is_fitted` tells that the ranking's weights were fitted on articles in this language.
    """

    code: str | None
    stemmer: str | None = None
    stop: frozenset[str] = frozenset()
    leaning: frozenset[str] = frozenset()
    leaning_phrases: tuple[str, ...] = ()
    leaning_patterns: tuple[str, ...] = ()
    standing_patterns: tuple[str, ...] = ()
    subjectless: frozenset[str] = frozenset()
    subjectless_endings: frozenset[str] = frozenset()
    before_verb: frozenset[str] = frozenset()
    vague: tuple[str, ...] = ()
    complements: frozenset[str] = frozenset()
    conjunctions: tuple[str, ...] = ()
    bound_to_conjunction: frozenset[str] = frozenset()
    droppable: tuple[str, ...] = ()
    relatives: tuple[str, ...] = ()
    inner_relatives: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    past_ending: str = ""
    saying: frozenset[str] = frozenset()
    limiting: frozenset[str] = frozenset()
    days: tuple[str, ...] = ()
    day_prefixes: tuple[str, ...] = ()
    day_suffixes: tuple[str, ...] = ()
    bound_to_day: frozenset[str] = frozenset()
    person: frozenset[str] = frozenset()
    judging: frozenset[str] = frozenset()
    abbreviations: frozenset[str] = frozenset()
    abbreviations_number: frozenset[str] = frozenset()
    abbreviated_ends: frozenset[str] = frozenset()
    abbreviations_final: frozenset[str] = frozenset()
    ordinal_dot: bool = False
    chrome: tuple[str, ...] = ()
    chrome_anywhere: tuple[str, ...] = ()
    bylines: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    is_fitted: bool = False

    def __hash__(self) -> int:
        # Patterns are cached by language: hashing all its lists each time is slow.
        return hash(self.code)


_WORD_SETS = (
    "stop",
    "leaning",
    "subjectless",
    "subjectless_endings",
    "before_verb",
    "bound_to_conjunction",
    "complements",
    "person",
    "judging",
    "verbs",
    "saying",
    "limiting",
    "bound_to_day",
    "abbreviations",
    "abbreviations_number",
    "abbreviated_ends",
    "abbreviations_final",
)
_PATTERNS = ("leaning_patterns", "standing_patterns")


@cache
def known_languages() -> tuple[Language, ...]:
    """Return every language that has a file, by code."""
    files = resources.files("digest.condense.languages").iterdir()
    named = sorted((file.name.removesuffix(".toml"), file) for file in files if file.name.endswith(".toml"))
    return tuple(_read(code, file.read_text("utf-8")) for code, file in named)


def get_language(code: str | None) -> Language:
    """Return the lists for an ISO 639-1 code such as "de" or "pt-BR"; empty ones when it is not known."""
    primary = (code or "").lower().partition("-")[0]
    return _by_code().get(primary) or Language(code=None)


@cache
def _by_code() -> dict[str | None, Language]:
    return {language.code: language for language in known_languages()}


def _read(code: str, text: str) -> Language:
    raw = tomllib.loads(text)
    values: dict[str, Any] = {
        name: frozenset(value.casefold().split())
        if name in _WORD_SETS
        else tuple(entry if name in _PATTERNS else entry.casefold() for entry in value)
        if isinstance(value, list)
        else value
        for name, value in raw.items()
    }
    return Language(code=code, **values)
