"""A template's own words, in the language of an issue: gettext catalogues, plurals, dates and numbers.

Templates say `pgettext('read_at', 'Read at {source}', source=…)`: the first argument is the phrase's name,
the second its English, which is what is said where no catalogue has better. Catalogues are `.po` files, read
as they are (1 ms each): nothing has to be compiled, and what a translator saves is what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from gettext import NullTranslations
from types import MappingProxyType
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from digest.compose.directions import direction_of

SOURCE_LANGUAGE = "en"
"""The language phrases are written in, and fall back to."""

FUNCTIONS = ("_", "gettext", "ngettext", "pgettext", "npgettext")
"""What templates call to say a phrase."""

NO_WORDING: Mapping[str, Any] = MappingProxyType({})

PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MANY = 1_000
_WORLD_ENGLISH = "en_001"
"""English that names no country puts the day before the month, as most of its readers do."""
_LONG_MONTH = re.compile(r"(?<!M)MMM(?!M)")
_THIN_SPACES = {0x2009: " ", 0x202F: " "}
"""Not every font that mail programs use has these."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as a template has it: its context ('' for none), its English, and its English for many."""

    context: str
    text: str
    plural: str = ""

    @classmethod
    def given(cls, function: str, texts: Iterable[str]) -> Phrase:
        """Return the phrase that a template says by calling `function` with these texts."""
        context, *forms = texts if function in ("pgettext", "npgettext") else ("", *texts)
        return cls(context, *forms)

    @property
    def name(self) -> str:
        """What it is called: its context, or its English where it has none."""
        return self.context or self.text

    @property
    def placeholders(self) -> frozenset[str]:
        """The names in braces that it may say."""
        return frozenset(PLACEHOLDER.findall(self.text + self.plural))


ARTICLES = Phrase("article_count", "{count} article", "{count} articles")
"""How many articles an edition has: the phrase that templates say by `{{ token.articles }}`."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """How a template speaks in one issue.

    `language` is the tag of what it says (BCP 47): the issue's own, or `en` where nobody translated. Days and
    numbers are `locale`'s, so that they suit the words beside them. What a newsletter words differently, by
    the phrase's name and CLDR's category of plurals, comes before any translation.
    """

    language: str
    locale: Locale
    translations: NullTranslations
    wording: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: NO_WORDING)

    @property
    def direction(self) -> str:
        """Which way its letters run: ltr or rtl."""
        return direction_of(self.language)

    def gettext(self, text: str, /, **values: object) -> str:
        """Return a phrase that has no name but its English, with `values` in place of its {placeholders}."""
        return filled(self._own(text) or self.translations.gettext(text), values)

    def ngettext(self, one: str, many: str, count: int, /, **values: object) -> str:
        """Return the form of a phrase that suits `count`, which is its {count}, too."""
        said = self._own(one, count) or self.translations.ngettext(one, many, count)
        return filled(said, {"count": self.number(count), **values})

    def pgettext(self, name: str, text: str, /, **values: object) -> str:
        """Return the phrase of this name, whose English is `text`."""
        return filled(self._own(name) or self.translations.pgettext(name, text), values)

    def npgettext(self, name: str, one: str, many: str, count: int, /, **values: object) -> str:
        """Return the form of the phrase of this name that suits `count`."""
        said = self._own(name, count) or self.translations.npgettext(name, one, many, count)
        return filled(said, {"count": self.number(count), **values})

    def said(self, phrase: Phrase, /, **values: object) -> str:
        """Return a phrase that has a name, with `values` in place of its {placeholders}."""
        return self.pgettext(phrase.context, phrase.text, **values)

    def counted(self, phrase: Phrase, count: int) -> str:
        """Return the form that suits `count` of a phrase that has a name and a plural."""
        return self.npgettext(phrase.context, phrase.text, phrase.plural, count)

    def _own(self, name: str, count: int | None = None) -> str | None:
        forms = self.wording.get(name)
        if forms is None:
            return None
        category = "other" if count is None else self.locale.plural_form(count)
        return forms.get(category, forms["other"])

    def unfilled(self, phrase: Phrase) -> str:
        """Return a phrase as it is said of many, its {placeholders} left as they are."""
        known = self.translations
        if not phrase.plural:
            return (
                known.pgettext(phrase.context, phrase.text) if phrase.context else known.gettext(phrase.text)
            )
        if phrase.context:
            return known.npgettext(phrase.context, phrase.text, phrase.plural, _MANY)
        return known.ngettext(phrase.text, phrase.plural, _MANY)

    def number(self, number: int) -> str:
        """Return a count as this language writes it: `1,200` or `1.200`."""
        return _written_number(number, self.locale)

    def day(self, day: date) -> str:
        """Return `16 November`, `16. November`, `16 novembre` or `16 de noviembre`."""
        return _written_day(day, self.locale)

    def days(self, first: date, last: date) -> str:
        """Return `16–22 November 2026`, naming month and year twice only where they differ."""
        if first == last:
            return format_date(last, format="long", locale=self.locale)
        field = "y" if first.year != last.year else "M" if first.month != last.month else "d"
        formats = self.locale.interval_formats
        begin, end = formats.get("yMMMMd", formats["yMMMd"])[field]
        said = (format_date(day, _in_full(part), self.locale) for day, part in ((first, begin), (last, end)))
        return "".join(said).translate(_THIN_SPACES)

    def names(self) -> dict[str, object]:
        """Return the functions a template calls, by name."""
        return {name: getattr(self, "gettext" if name == "_" else name) for name in FUNCTIONS}


# One issue has few different days and numbers, and says them for hundreds of pieces: 15 µs each unless kept.


@lru_cache(maxsize=1024)
def _written_number(number: int, locale: Locale) -> str:
    return format_decimal(number, locale=locale).translate(_THIN_SPACES)


@lru_cache(maxsize=1024)
def _written_day(day: date, locale: Locale) -> str:
    return format_skeleton("MMMMd", day, locale=locale)


def filled(text: str, values: Mapping[str, object]) -> str:
    """Return `text` with each {name} replaced by its value. Raises `ValueError` for a name without one.

    Not `str.format`, which looks into values: `{email.__class__}`.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ValueError(f"the phrase {text!r} is given no {match[1]!r}")
        return str(values[match[1]])

    return PLACEHOLDER.sub(value, text)


def ever_wider(language: str) -> Iterator[str]:
    """Yield a tag as catalogues and locales are named, then the tag without its last part, and so on."""
    first, *rest = language.split("-")
    tag = [first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)]
    for end in range(len(tag), 0, -1):
        yield "-".join(tag[:end])


@lru_cache(maxsize=1024)
def locale_of(language: str) -> Locale:
    """Return whose days and numbers suit a language: its region's, else its own, else English ones."""
    for tag in ever_wider(language):
        if tag == SOURCE_LANGUAGE:
            break
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(_WORLD_ENGLISH)


def _in_full(pattern: str) -> str:
    """Return a pattern with its month written out: CLDR gives most languages' intervals short months only."""
    return _LONG_MONTH.sub("MMMM", pattern)


ENGLISH = Phrases(SOURCE_LANGUAGE, Locale.parse(_WORLD_ENGLISH), NullTranslations())
"""English as it stands in the templates, with days and numbers of no country."""
