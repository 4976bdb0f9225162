"""A theme as a TOML file: each mistake is told with its line, and what is written reads back the same."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from digest.compose.directions import LANGUAGE_TAG
from digest.compose.phrases import Phrase, Phrases, ever_wider
from digest.compose.theme_values import LOGO_MIN, alt, colour, flag, font, forms_of, logo_url, width
from digest.domain.errors import InvalidInput, Unfit
from digest.domain.themes import (
    CONTRAST_MIN,
    DARK,
    LIGHT,
    USUAL,
    Colours,
    Logo,
    Theme,
    hard_to_read,
    luminance,
)

FILE_MAX = 100_000
_TABLE = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?")
_KEY = re.compile(r"\s*([^=#]+?)\s*=")
_COLOUR_NAMES = tuple(part.name for part in fields(Colours))
_LOGO_KEYS = tuple(part.name for part in fields(Logo))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a theme's wording may name: a template's phrases, and the languages it is translated into."""

    phrases: Sequence[Phrase]
    languages: Collection[str]


def parse_theme(text: str, file: str, vocabulary: Vocabulary) -> Theme:
    """Return the theme that a TOML file describes. `file` is named in errors.

    Raises `InvalidInput` with every mistake, a line each: what is no TOML, unknown keys, colours, fonts or
    links that are none, text that cannot be read on its page, wording of phrases that are not there.
    """
    if len(text) > FILE_MAX:
        raise InvalidInput(f"{file}: {len(text):,} characters are no theme; nothing was changed")
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise InvalidInput(f"{file}: {exc}; correct it and try again. Nothing was changed.") from exc
    except (RecursionError, ValueError) as exc:  # tomllib lets brackets 1,000 deep and 5,000 digits through
        raise InvalidInput(
            f"{file}: it is nested too deep, or holds a number too long, for a theme; nothing was changed"
        ) from exc
    reader = _Reader()
    theme = reader.theme(given, vocabulary)
    if reader.problems:
        lines = _lines(text)
        told = "\n".join(f"{file}{_place(path, lines)}: {what}" for path, what in reader.problems)
        raise InvalidInput(f"{told}\nNothing was changed.")
    return theme


def theme_of(given: Mapping[str, Any], vocabulary: Vocabulary) -> Theme:
    """Return the theme of values named as a file names them, in tables within tables.

    Raises `Unfit` with the problems by the names of values with dots between: `light.accent`.
    """
    reader = _Reader()
    theme = reader.theme(given, vocabulary)
    if reader.problems:
        # Of one value the first: what follows is often a consequence.
        raise Unfit({".".join(path): what for path, what in reversed(reader.problems)})
    return theme


Keys = tuple[str, ...]


@dataclass(slots=True)
class _Reader:
    """Turns a file's tables into a theme, and collects what is wrong with them."""

    problems: list[tuple[Keys, str]] = field(default_factory=list)

    def theme(self, given: Mapping[str, Any], vocabulary: Vocabulary) -> Theme:
        self._known((), given, ("font", "heading_font", "light", "dark", "logo", "wording"))
        return Theme(
            light=self._colours("light", given, LIGHT),
            dark=self._colours("dark", given, DARK),
            font=self._value(("font",), given, font, USUAL.font),
            heading_font=self._value(("heading_font",), given, font, USUAL.heading_font),
            logo=self._logo(given),
            wording=self._wording(self._table((), given, "wording"), vocabulary),
        )

    def _colours(self, scheme: str, given: Mapping[str, Any], usual: Colours) -> Colours:
        table = self._table((), given, scheme)
        self._known((scheme,), table, _COLOUR_NAMES)
        colours = Colours(
            **{
                name: self._value((scheme, name), table, colour, getattr(usual, name))
                for name in _COLOUR_NAMES
            }
        )
        for name, ratio in hard_to_read(colours):
            place = (scheme, name if name in table else "page")
            self._complain(place, _too_pale(scheme, name, ratio, colours))
        return colours

    def _logo(self, given: Mapping[str, Any]) -> Logo | None:
        if "logo" not in given:
            return None
        table = self._table((), given, "logo")
        self._known(("logo",), table, _LOGO_KEYS)
        for name in ("url", "alt", "width"):
            if name not in table:
                self._complain(("logo",), f"a logo needs {name}: add it")
        return Logo(
            url=self._value(("logo", "url"), table, logo_url, ""),
            alt=self._value(("logo", "alt"), table, alt, ""),
            width=self._value(("logo", "width"), table, width, LOGO_MIN),
            replaces_name=self._value(("logo", "replaces_name"), table, flag, False),
        )

    def _wording(
        self, given: Mapping[str, Any], vocabulary: Vocabulary
    ) -> dict[str, dict[str, dict[str, str]]]:
        known = {phrase.name: phrase for phrase in vocabulary.phrases}
        wording: dict[str, dict[str, dict[str, str]]] = {}
        spelt: dict[str, str] = {}
        for language in given:
            if not LANGUAGE_TAG.fullmatch(language):
                self._complain(
                    ("wording", language), f"'{language}' is no language: use one such as en or pt-BR"
                )
                continue
            table = self._table(("wording",), given, language)
            self._known(("wording", language), table, tuple(known))
            tag = next(ever_wider(language))
            if tag in spelt:
                self._complain(
                    ("wording", language),
                    f"[wording.{language}] and [wording.{spelt[tag]}] are one language: put all its wording "
                    f"into [wording.{tag}]",
                )
                continue
            spelt[tag] = language
            wording[tag] = {
                name: self._value(("wording", language, name), table, forms_of(known[name]), {})
                for name in table
                if name in known
            }
            self._refuse_half_a_language(language, wording[tag], vocabulary)
        return {tag: own for tag, own in wording.items() if own}

    def _refuse_half_a_language(self, language: str, own: Collection[str], vocabulary: Vocabulary) -> None:
        """Complain of a language that nobody translated and this wording covers in part only."""
        if any(tag in vocabulary.languages for tag in ever_wider(language)):
            return
        missing = [phrase.name for phrase in vocabulary.phrases if phrase.name not in own]
        if missing:
            self._complain(
                ("wording", language),
                f"there is no translation into '{language}', so its wording must have every phrase; it lacks "
                f"{', '.join(missing)}",
            )

    def _table(self, path: Keys, given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = given.get(name, {})
        if isinstance(table, dict):
            return table
        self._complain(
            (*path, name), f"{'.'.join((*path, name))} is a table: write [{'.'.join((*path, name))}]"
        )
        return {}

    def _known(self, path: Keys, table: Mapping[str, Any], names: Collection[str]) -> None:
        for name in table:
            if name not in names:
                close = difflib.get_close_matches(name, names, n=1)
                advice = f"did you mean '{close[0]}'?" if close else f"there is {', '.join(names)}"
                where = f" in [{'.'.join(path)}]" if path else ""
                self._complain((*path, name), f"'{name}' is not known{where}; {advice}")

    def _value(self, path: Keys, table: Mapping[str, Any], read: Callable[[Any], Any], usual: Any) -> Any:
        """Return what `read` makes of a value, `usual` where there is none or it is wrong."""
        if path[-1] not in table:
            return usual
        try:
            return read(table[path[-1]])
        except ValueError as exc:
            self._complain(path, f"{'.'.join(path)} {exc}")
            return usual

    def _complain(self, path: Keys, what: str) -> None:
        self.problems.append((path, what))


def _place(path: Keys, lines: Mapping[Keys, int]) -> str:
    """Return ` line 3`, that of the value or of the table it stands in; '' where nobody can tell."""
    known = (path[:end] for end in range(len(path), 0, -1))
    line = next((lines[part] for part in known if part in lines), None)
    return f" line {line}" if line else ""


def _too_pale(scheme: str, name: str, ratio: float, colours: Colours) -> str:
    colour = getattr(colours, name)
    darker, lighter = (name, "page") if luminance(colour) < luminance(colours.page) else ("page", name)
    return (
        f"{scheme}.{name} {colour} on {scheme}.page {colours.page} has a contrast of {ratio:.2f}:1, and text "
        f"needs {CONTRAST_MIN}:1: make {darker} darker or {lighter} lighter"
    )


def _lines(text: str) -> dict[Keys, int]:
    """Return the line of each table and key of a TOML file, as far as it is written plainly.

    A key that is not found (in an inline table, say) is told by the line of its table.
    """
    found: dict[Keys, int] = {}
    table: Keys = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _TABLE.fullmatch(line):
            table = _parts(heading[1])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
    return found


def _parts(key: str) -> Keys:
    return tuple(part.strip().strip("'\"") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", key.strip()))


def write_theme(theme: Theme, spoken: Phrases, vocabulary: Vocabulary) -> str:
    """Return a theme as the TOML file that reads back as it.

    What is as ever, and how `spoken` says each phrase, stands there as comments to be changed.
    """
    return "\n".join(_written(theme, spoken, vocabulary)) + "\n"


def _written(theme: Theme, spoken: Phrases, vocabulary: Vocabulary) -> Iterator[str]:
    given = theme.to_plain()
    for name in ("font", "heading_font"):
        yield _pair(name, getattr(theme, name), is_given=name in given)
    for scheme in ("light", "dark"):
        yield f"\n[{scheme}]"
        for name in _COLOUR_NAMES:
            value = getattr(getattr(theme, scheme), name)
            yield _pair(name, value, is_given=name in given.get(scheme, {}))
    yield "\n[logo]" if theme.logo else "\n# [logo]"
    logo = theme.logo or Logo("https://example.org/logo.png", "What it says", 200)
    for name in _LOGO_KEYS:
        yield _pair(name, getattr(logo, name), is_given=theme.logo is not None)
    language = next(ever_wider(spoken.language))
    for tag in dict.fromkeys((*theme.wording, language)):
        own = theme.wording.get(tag, {})
        yield f"\n[wording.{tag}]"
        for phrase in vocabulary.phrases:
            if phrase.name in own:
                yield _pair(phrase.name, _as_given(own[phrase.name]), is_given=True)
            elif tag == language:
                yield _pair(phrase.name, spoken.unfilled(phrase), is_given=False)


def _as_given(forms: Mapping[str, str]) -> str | Mapping[str, str]:
    return forms["other"] if set(forms) == {"other"} else forms


def _pair(name: str, value: object, *, is_given: bool) -> str:
    key = name if re.fullmatch(r"[\w-]+", name, re.ASCII) else _quoted(name)
    return f"{'' if is_given else '# '}{key} = {_quoted(value)}"


def _quoted(value: object) -> str:
    """Return a value as TOML: its basic strings and booleans are written as JSON's are."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_quoted(form)}" for name, form in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
