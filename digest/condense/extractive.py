"""Takeaways drawn from the article itself: the few sentences that together cover most of what it says.

Each word has a worth (see `worth`). Sentences are picked one by one, each time the one whose words not
yet covered are worth most for its length, so that a second sentence on the same matter gains nothing.
The numbers below were chosen on 500 news articles in coarse steps; near them the score is flat.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.condense.candidates import Candidate, find_candidates
from digest.condense.language import Language, get_language
from digest.condense.standing import is_mid_quote, is_personal, leans, opens_with_quote
from digest.condense.trimming import forms
from digest.condense.words import WORD, count_words, stems, words
from digest.condense.worth import Terms, worth_of_words
from digest.domain.articles import Article, Origin, Takeaway

PRICE_OF_A_WORD = 0.07
EARLY = 0.4
"""For the first sentence, falling with the root of the position."""
LEANING = 0.7
"""Off for a sentence that cannot stand alone: opens with a pronoun, a connective or a quotation."""
PERSONAL = 0.5
"""Off for first or second person, and for a question: the writer speaks, or the reader is addressed."""
CURT = 0.03
"""Off for each word short of COMFORTABLE."""
COMFORTABLE = 13

_QUESTION = re.compile(r"[?？؟][\"'”’»)]*$")


def extract(article: Article, *, count: int, max_words: int) -> tuple[Takeaway, ...]:
    """Return at most `count` takeaways of at most `max_words` words, in the order of the article.

    Never more than half of the sentences worth ranking, so a short article gives fewer; none when no
    sentence qualifies. The same article gives the same takeaways.
    """
    language = get_language(article.language)
    candidates = find_candidates(article, language)
    options = [option for option in _options(candidates, language) if option.length <= max_words]
    title = set(stems(words(article.title), language))
    worth = worth_of_words([terms_of(candidate, language) for candidate in candidates], title)
    chosen = _choose(options, worth, min(count, max(1, len(candidates) // 2)))
    return tuple(Takeaway(option.text, Origin.EXTRACTIVE, (option.source.support,)) for option in chosen)


@dataclass(frozen=True, slots=True)
class _Option:
    """One form of a candidate, and what it is worth before its words are counted."""

    source: Candidate
    text: str
    stems: frozenset[str]
    length: int
    merit: float


def _options(candidates: Sequence[Candidate], language: Language) -> list[_Option]:
    return [
        _option(candidate, form, language)
        for candidate in candidates
        for form in forms(candidate.text, language)
    ]


def _option(candidate: Candidate, text: str, language: Language) -> _Option:
    length = count_words(text)
    merit = EARLY / (1 + candidate.position) ** 0.5 - CURT * max(0, COMFORTABLE - length)
    if leans(text, language) or opens_with_quote(text) or is_mid_quote(text):
        merit -= LEANING
    if _QUESTION.search(text) or is_personal(text, language):
        merit -= PERSONAL
    return _Option(candidate, text, frozenset(stems(words(text), language)), length, merit)


def terms_of(candidate: Candidate, language: Language) -> Terms:
    """Return the stems of a sentence; its first word's capital does not make it a name."""
    capitalised = [word.casefold() for word in WORD.findall(candidate.text)[1:] if word[0].isupper()]
    return Terms(
        stems(words(candidate.text), language), frozenset(stems(capitalised, language)), candidate.position
    )


def _choose(options: Sequence[_Option], worth: Mapping[str, float], count: int) -> list[_Option]:
    chosen: list[_Option] = []
    covered: set[str] = set()
    left = list(options)
    while left and len(chosen) < count:
        # max keeps the first of equals, so ties go to the earlier sentence and its longer form.
        best = max(left, key=lambda option: _gain(option, worth, covered))
        chosen.append(best)
        covered |= best.stems
        left = [option for option in left if option.source is not best.source]
    return sorted(chosen, key=lambda option: option.source.position)


def _gain(option: _Option, worth: Mapping[str, float], covered: set[str]) -> float:
    return (
        sum(worth[stem] for stem in option.stems - covered) - PRICE_OF_A_WORD * option.length + option.merit
    )
