"""What people give of newsletters, sources and topics, read one way: a field that is wrong says so in words.

`called` is what a field is called where it was given: `--name` on the command line, `the name` on a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from digest.domain.errors import InvalidInput, Unfit

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

Given = Mapping[str, object]
"""What was given, by the field's name: typed text, or a value that the command line has read already."""

Reader = Callable[[object, str], object]
"""Makes a field's value of what was given and what the field is called. Raises `InvalidInput`."""

Kind = TypeVar("Kind", bound=StrEnum)


def read_given(
    given: Given, readers: Mapping[str, Reader], called: Callable[[str], str]
) -> dict[str, object]:
    """Return the value of each field that was given. Raises `Unfit` with all that are wrong."""
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    for field, value in given.items():
        try:
            values[field] = readers[field](value, called(field))
        except InvalidInput as exc:
            problems[field] = str(exc)
    if problems:
        raise Unfit(problems)
    return values


def required(text: str, called: str, *, limit: int = 200) -> str:
    """Return `text` without blanks around it. Raises `InvalidInput` when it is empty or too long."""
    if not text.strip():
        raise InvalidInput(f"{called} is empty")
    return within(text.strip(), called, limit=limit)


def on_a_line(text: str, called: str) -> str:
    """Return a name that readers see, without blanks around it.

    Raises `InvalidInput` where it holds what no mail prints: line breaks, control signs, marks that turn text
    round.
    """
    from digest.compose.untrusted import plain

    odd = next((sign for sign in text.strip() if plain(f"a{sign}b") != f"a{sign}b"), "")
    if odd:
        kind = "a line break" if odd.splitlines() == [""] else "a sign that is not seen"
        raise InvalidInput(
            f"{called} holds {kind} (U+{ord(odd):04X}), and stands on a line of every mail: leave it out"
        )
    return text.strip()


def within(text: str, called: str, *, limit: int) -> str:
    """Return `text`. Raises `InvalidInput` when it is longer than there is room for."""
    if len(text) > limit:
        raise InvalidInput(f"{called} is {len(text)} characters long; there is room for {limit}")
    return text


def language_tag(text: str, called: str) -> str:
    """Return a language as mail and HTML name it (BCP 47), '' for none. Raises `InvalidInput` otherwise."""
    if text and not _LANGUAGE.fullmatch(text):
        raise InvalidInput(f"{called} '{text}' is not a language tag: use one such as en, fr or pt-BR")
    return within(text, called, limit=16)


def spoken_language(text: str, called: str) -> str:
    """Return a language that mail can be in. Raises `InvalidInput` for '' and for `und`, which name none."""
    if text.strip().lower() in ("", "und"):
        raise InvalidInput(f"{called} '{text}' names no language: use one such as en, fr or pt-BR")
    return language_tag(text, called)


def whole(value: object, called: str, bounds: tuple[int, int]) -> int:
    """Return a whole number within `bounds`, which belong to it. Raises `InvalidInput`."""
    least, most = bounds
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not least <= int(text) <= most:
        raise InvalidInput(f"{called} is '{text}': give a whole number from {least} to {most}")
    return int(text)


def number(value: object, called: str, bounds: tuple[float, float]) -> float:
    """Return a number within `bounds`, which belong to it. Raises `InvalidInput`."""
    least, most = bounds
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text, re.ASCII) or not least <= float(text) <= most:
        raise InvalidInput(f"{called} {text} is not between {least:g} and {most:g}")
    return float(text)


def one_of(kinds: type[Kind]) -> Callable[[object, str], Kind]:
    """Return what reads one of `kinds`."""

    def read(value: object, called: str) -> Kind:
        try:
            return kinds(str(value))
        except ValueError as exc:
            raise InvalidInput(f"{called} '{value}' is not one of {', '.join(kinds)}") from exc

    return read


def flag(value: object, called: str) -> bool:
    """Return a yes or no: a page says `yes`, and '' for what is not ticked. Raises `InvalidInput`."""
    if isinstance(value, bool):
        return value
    if value not in ("yes", ""):
        raise InvalidInput(f"{called} is '{value}': it is 'yes', or nothing")
    return value == "yes"
