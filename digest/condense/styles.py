"""What a newsletter's style means where sentences are taken from the article and no word is rewritten.

A style decides which sentences are preferred, and how much of one is kept. What speaks against a sentence
is counted in points of ROUGE-1, as the ranking counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from digest.condense.language import Language
from digest.condense.words import count_words
from digest.domain.articles import Style

JUDGING = 1.0
"""Neutral: for a sentence that judges or exults."""
QUOTED = 1.0
"""Neutral and brief: for a sentence of which a third or more is somebody's own words."""
PER_WORD = 0.2
"""Brief: for each word."""
BRIEF_WORDS = 18
"""Brief: words beyond which a sentence is only taken where there is nothing shorter."""
TOO_LONG = 3.0
PER_LETTER = 2.0
"""Plain: for each letter that words are longer on average than the article's."""
PER_JOINT = 1.0
"""Plain: for each semicolon, dash, parenthesis, colon, or abbreviation in capitals."""

_QUOTED = re.compile(r"\"[^\"]*\"|[“„][^“”]*[“”]|«[^»]*»|「[^」]*」")
_EXULTING = re.compile(r"![\"'”’»)]*$")
_JOINT = re.compile(r"[;:(]|\s--?\s|[—–]|(?<!\w)[^\W\d_a-z]{2,}(?!\w)")


@dataclass(frozen=True, slots=True)
class Manner:
    """How one article is to be put: its style, its language, and how many letters its words have."""

    style: Style
    language: Language
    letters: float

    def against(self, text: str, words: Sequence[str]) -> float:
        """Return what speaks against a sentence of these words in this style, in points of ROUGE-1."""
        return _AGAINST[self.style](text, words, self)

    @property
    def only_shortest(self) -> bool:
        """Tell whether of each sentence only the form that says least is wanted."""
        return self.style is Style.BRIEF


def letters_per_word(words: Sequence[str]) -> float:
    """Return the mean length of words, 0 for none."""
    return sum(map(len, words)) / len(words) if words else 0.0


def _against_neutral(text: str, words: Sequence[str], manner: Manner) -> float:
    judging = _EXULTING.search(text) or any(word.casefold() in manner.language.judging for word in words)
    return JUDGING * bool(judging) + QUOTED * _is_much_quoted(text)


def _is_much_quoted(text: str) -> bool:
    return 3 * sum(len(quoted) for quoted in _QUOTED.findall(text)) > len(text)


def _against_brief(text: str, _words: Sequence[str], _: Manner) -> float:
    length = count_words(text)
    return PER_WORD * length + TOO_LONG * (length > BRIEF_WORDS) + 2 * QUOTED * _is_much_quoted(text)


def _against_plain(text: str, words: Sequence[str], manner: Manner) -> float:
    longer = max(0.0, letters_per_word(words) - manner.letters)
    return PER_LETTER * longer + PER_JOINT * len(_JOINT.findall(text))


_AGAINST = {Style.NEUTRAL: _against_neutral, Style.BRIEF: _against_brief, Style.PLAIN: _against_plain}
