"""What a newsletter's style means where sentences are taken from the article and no word is rewritten.

A style decides which sentences are preferred, and how much of one is kept. What speaks against a sentence
is counted in points of ROUGE-1, as the ranking counts: one point is about what separates the best set of
three from the tenth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from digest.condense.language import Language
from digest.condense.words import WORD, count_words
from digest.domain.articles import Style

JUDGING = 2.0
"""Neutral: for a sentence that judges or exults."""
QUOTED = 0.5
"""Neutral: for somebody's own words. They can be the news, so they are not excluded."""
PER_WORD = 0.35
"""Brief: for each word."""
BRIEF_WORDS = 18
"""Brief: words beyond which a sentence is only taken where there is nothing shorter."""
TOO_LONG = 4.0
PER_LETTER = 2.0
"""Plain: for each letter that words are longer on average than the article's."""
PER_JOINT = 1.0
"""Plain: for each semicolon, dash, parenthesis, colon, or abbreviation in capitals."""

_QUOTED = re.compile(r"[\"“”„«»「『]")
_EXULTING = re.compile(r"![\"'”’»)]*$")
_JOINT = re.compile(r"[;:(]|\s--?\s|[—–]|(?<!\w)[^\W\d_a-z]{2,}(?!\w)")


@dataclass(frozen=True, slots=True)
class Manner:
    """How one article is to be put: its style, its language, and how many letters its words have."""

    style: Style
    language: Language
    letters: float

    def against(self, text: str) -> float:
        """Return what speaks against a sentence in this style, in points of ROUGE-1; 0 for nothing."""
        return _AGAINST[self.style](text, self)

    @property
    def only_shortest(self) -> bool:
        """Tell whether of each sentence only the form that says least is wanted."""
        return self.style is Style.BRIEF


def letters_per_word(text: str) -> float:
    """Return the mean length of the words of a text, 0 when it has none."""
    words = WORD.findall(text)
    return sum(map(len, words)) / len(words) if words else 0.0


def _against_neutral(text: str, manner: Manner) -> float:
    judging = _EXULTING.search(text) or _judging(manner.language).search(text)
    return JUDGING * bool(judging) + QUOTED * bool(_QUOTED.search(text))


def _against_brief(text: str, _: Manner) -> float:
    length = count_words(text)
    return PER_WORD * length + TOO_LONG * (length > BRIEF_WORDS)


def _against_plain(text: str, manner: Manner) -> float:
    longer = max(0.0, letters_per_word(text) - manner.letters)
    return PER_LETTER * longer + PER_JOINT * len(_JOINT.findall(text))


_AGAINST = {Style.NEUTRAL: _against_neutral, Style.BRIEF: _against_brief, Style.PLAIN: _against_plain}


@cache
def _judging(language: Language) -> re.Pattern[str]:
    words = "|".join(map(re.escape, sorted(language.judging)))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)" if words else "(?!)", re.IGNORECASE)
