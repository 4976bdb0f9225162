"""Which way a language is written, and what a language tag looks like."""

from __future__ import annotations

import re

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


def direction_of(language: str) -> str:
    """Return `rtl` for a language written from right to left, otherwise `ltr`."""
    return "rtl" if language.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def start_of(language: str) -> str:
    """Return the side on which its lines begin: left or right."""
    return "right" if direction_of(language) == "rtl" else "left"


def end_of(language: str) -> str:
    """Return the side on which its lines end."""
    return "left" if direction_of(language) == "rtl" else "right"
