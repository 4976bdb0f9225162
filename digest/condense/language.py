"""The word lists of a language: which words carry no subject, lean on another sentence, do not end one.

Each language is one file, `languages/<ISO 639-1 code>.toml`; a new file is all a new language takes.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Language:
    """One language's lists, all case-folded. A language without a file has empty ones.

    `stemmer` is a Snowball algorithm's name, None where there is none. `leaning` are first words that
    need the sentence before, `leaning_phrases` the same in several words; those in `conjunctions` can
    be cut off unless a word of `bound_to_conjunction` follows, those in `droppable` before a comma. `person` are first and second person words. A full stop after `abbreviations` never ends
    a sentence, after `abbreviations_number` not before a number, after `abbreviations_final` it may. `ordinal_dot` says that "3." can be an ordinal.
    `relatives` open a clause that adds to a sentence without changing it. `chrome` begins what a page says
    of itself, `chrome_anywhere` is found within it, `bylines` stand before a name.
    """

    code: str | None
    stemmer: str | None = None
    stop: frozenset[str] = frozenset()
    leaning: frozenset[str] = frozenset()
    leaning_phrases: tuple[str, ...] = ()
    conjunctions: tuple[str, ...] = ()
    bound_to_conjunction: frozenset[str] = frozenset()
    droppable: tuple[str, ...] = ()
    relatives: tuple[str, ...] = ()
    person: frozenset[str] = frozenset()
    abbreviations: frozenset[str] = frozenset()
    abbreviations_number: frozenset[str] = frozenset()
    abbreviations_final: frozenset[str] = frozenset()
    ordinal_dot: bool = False
    takeaway_headings: tuple[str, ...] = ()
    chrome: tuple[str, ...] = ()
    chrome_anywhere: tuple[str, ...] = ()
    bylines: tuple[str, ...] = ()


_WORD_SETS = (
    "stop",
    "leaning",
    "bound_to_conjunction",
    "person",
    "abbreviations",
    "abbreviations_number",
    "abbreviations_final",
)


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
    values = {
        name: frozenset(value.split())
        if name in _WORD_SETS
        else tuple(value)
        if isinstance(value, list)
        else value
        for name, value in raw.items()
    }
    return Language(code=code, **values)
