"""A calendar day as people write it: by itself, or somewhere in a line ("By Ada Berg, 18 November 2026")."""

from __future__ import annotations

import re
from datetime import date

from digest.gather.months import month_of

_LINE_MOST = 200
_NUMERIC = re.compile(r"\b(\d{1,2})([./-])\s?(\d{1,2})\2\s?(\d{4}|\d{2})\b")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年]\s?(\d{1,2})[-/.月]\s?(\d{1,2})日?")
_IN_LINE = re.compile(
    r"(?<!\d)\d{1,2}(?:st|nd|rd|th|er|\.|º)?\s+(?:de\s+)?[^\W\d_]{3,12}\.?,?\s+(?:de\s+)?\d{4}(?!\d)"
    r"|\b[^\W\d_]{3,12}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}(?!\d)"
    r"|(?<!\d)\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?(?!\d)"
    r"|(?<!\d)\d{1,2}([./-])\s?\d{1,2}\1\s?\d{4}(?!\d)"
)
_WORD = re.compile(r"[^\W\d_]+|\d+")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|º|ª|°|\.(?=\s|$))", re.IGNORECASE)
# Words that may stand in a date and say nothing; besides them only one, the weekday.
_FILLERS = frozenset(
    re.findall(r"\S+", "de del di of the at um uhr om à as às alle ore o godz r kl den le el feira la")
)


def named_day(text: str) -> date | None:
    """Return the day that `text` names in words or numbers, None when it names none or something else too.

    `20 Nov 26`, `Friday, Nov. 20th, 2026`, `20.11.2026`; a two-digit year is of 1950 to 2049. `11/12/2026` is
    none: only its writer's country tells which number is the month.
    """
    try:
        if numeric := _NUMERIC.search(text):
            rest = text.replace(numeric[0], " ", 1)
            return _numeric(numeric) if len(_spoken(rest)) <= 1 and not re.search(r"\d", rest) else None
        return _worded(_spoken(_ORDINAL.sub(" ", text)))
    except ValueError:
        return None


def day_in_line(text: str) -> date | None:
    """Return the first day that a line names beside whatever else it says, with its whole year; else None."""
    found = (_of_line(match[0]) for match in _IN_LINE.finditer(text[:_LINE_MOST]))
    return next((day for day in found if day), None)


def _of_line(text: str) -> date | None:
    if not (match := _YEAR_FIRST.fullmatch(text)):
        return named_day(text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def _worded(words: list[str]) -> date | None:
    if words and not words[0].isdigit() and not month_of(words[0]):
        words = words[1:]  # the weekday
    numbers = [word for word in words if word.isdigit()]
    months = [number for word in words if not word.isdigit() and (number := month_of(word))]
    if len(months) != 1 or len(numbers) != 2 or len(words) != 3:
        return None
    day, year = numbers if len(numbers[0]) <= 2 else reversed(numbers)
    return date(_full_year(year), months[0], int(day))


def _numeric(match: re.Match[str]) -> date | None:
    first, mark, second, year = int(match[1]), match[2], int(match[3]), _full_year(match[4])
    if mark == "." or first > 12 or first == second:
        return date(year, second, first)
    return date(year, first, second) if second > 12 else None


def _spoken(text: str) -> list[str]:
    """Return the words and numbers of `text` that may tell something."""
    return [word for word in _WORD.findall(text) if word.casefold() not in _FILLERS]


def _full_year(text: str) -> int:
    year = int(text)
    return year + (2000 if year < 50 else 1900) if len(text) <= 2 else year
