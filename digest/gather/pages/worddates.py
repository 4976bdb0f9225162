"""A day as people write it in a line: "18 November 2026", "Nov. 18, 2026", "le 18 novembre 2026"."""

from __future__ import annotations

import re

# The beginnings of month names in English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish,
# Polish and Czech; the first that fits counts.
_MONTHS = (
    r"jan|janv|ene|gen|sty|led",
    r"feb|fév|fev|lut|úno",
    r"mar|mär|mrz|maart|bře",
    r"apr|avr|abr|kwi|dub",
    r"may|mai|maj|mag|mei|kvě",
    r"jun|juin|giu|cze|červn",
    r"jul|juil|lug|lip|července|červenec",
    r"aug|aoû|aou|ago|sie|srp",
    r"sep|set|wrz|zář",
    r"oct|okt|out|ott|paź|říj",
    r"nov|lis",
    r"dec|dez|déc|dic|gru|pro",
)
_NAMES = tuple(re.compile(names, re.IGNORECASE) for names in _MONTHS)
_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º)?\s+(?:de\s+)?([^\W\d_]{3,12})\.?,?\s+(?:de\s+)?(\d{4})(?!\d)"
)
_MONTH_FIRST = re.compile(r"\b([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
_NUMBERS = re.compile(r"(?<!\d)(\d{4})[-/.年]\s?(\d{1,2})[-/.月]\s?(\d{1,2})(?!\d)")
_GERMAN = re.compile(r"(?<!\d)(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?!\d)")


def day_in_words(text: str) -> str | None:
    """Return the first day that a short line names, as `YYYY-MM-DD`, None without one.

    `11/12/2026` is none: only its reader's country tells which number is the month.
    """
    text = text[:200]
    if found := _DAY_FIRST.search(text):
        return _iso(found[3], _month(found[2]), found[1])
    if found := _MONTH_FIRST.search(text):
        return _iso(found[3], _month(found[1]), found[2])
    if found := _NUMBERS.search(text):
        return _iso(found[1], int(found[2]), found[3])
    if found := _GERMAN.search(text):
        return _iso(found[3], int(found[2]), found[1])
    return None


def _month(name: str) -> int:
    return next((number for number, names in enumerate(_NAMES, start=1) if names.match(name)), 0)


def _iso(year: str, month: int, day: str) -> str | None:
    return f"{year}-{month:02d}-{int(day):02d}" if 1 <= month <= 12 and 1 <= int(day) <= 31 else None
