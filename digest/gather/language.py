"""Which language a text is in: what it says of itself, checked against what it reads like."""

from __future__ import annotations

import re
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Shorter texts are told apart by chance: names and numbers outweigh the words.
MIN_CHARACTERS = 40
MIN_CHARACTERS_TO_OVERRULE = 400

_TAG = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]+)*", re.IGNORECASE)
# Neighbours an identifier confuses: inside a group the page knows better.
_NEIGHBOURS = (
    frozenset({"no", "nb", "nn", "da", "sv"}),
    frozenset({"hr", "bs", "sr", "sl"}),
    frozenset({"id", "ms"}),
    frozenset({"cs", "sk"}),
    frozenset({"gl", "pt", "es", "ca", "an"}),
    frozenset({"af", "nl"}),
    frozenset({"ru", "uk", "be", "bg", "mk"}),
)


def iso_639_1(tag: str) -> str | None:
    """Return the two-letter code of a BCP 47 language tag ('en-GB', 'pt_BR'), None when it has none."""
    match = _TAG.fullmatch(tag.strip())
    return match[1].lower() if match else None


def language_of(text: str, declared: str | None = None) -> str | None:
    """Return the ISO 639-1 code of `text`, None when it is too short to tell and nothing is declared.

    What is declared holds, unless a long text clearly reads as something else: templates say `en` whatever
    the editors write.
    """
    if len(text) < (MIN_CHARACTERS_TO_OVERRULE if declared else MIN_CHARACTERS):
        return declared
    with _LOADING:
        identifier = _identifier()
    code, probability = identifier.classify(text[:4000])
    if declared is None:
        return code if probability > 0.7 else None
    overruled = probability > 0.999 and not any({code, declared} <= group for group in _NEIGHBOURS)
    return code if overruled else declared


_LOADING = Lock()
"""Threads that gather side by side would each read the model: 0.6 s of CPU and 60 MB every time."""


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # with numpy 13 MB: readers of text need it

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
