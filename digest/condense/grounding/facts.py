"""Whether the figures and dates of a takeaway are those of the sentences it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from digest.condense.grounding.amounts import find_match, likeliest, matches
from digest.condense.grounding.company import company, likeness
from digest.condense.grounding.figures import Figure
from digest.condense.grounding.source import Passage, Source, dates_of, goes_on

SAME_PLACE = 0.5
"""Likeness of the words around two figures from which they are of the same thing."""


def figure_problems(claim: Passage, support: Sequence[Passage], source: Source) -> list[str]:
    """Return which figures of a takeaway the article does not bear out, in words.

    A figure must be in the supporting sentences, in one beside them that is on the same, or anywhere next
    to the same words.
    """
    near = [*support, source.title]
    problems = []
    for figure in claim.figures:
        if figure.may_be_loose or any(figure.text in passage.text for passage in near if _is_long(figure)):
            continue
        if not _is_said(figure, claim, support, source):
            problems.append(_figure_problem(figure, [f for passage in near for f in passage.figures], source))
    return problems


def _is_said(figure: Figure, claim: Passage, support: Sequence[Passage], source: Source) -> bool:
    near = [*support, source.title, *_beside(claim, support, source)]
    if any(find_match(figure, passage.figures) for passage in near):
        return True
    return (2.0 in figure.readings and _doubles(near, source)) or _is_in_like_company(figure, claim, source)


def _doubles(passages: Sequence[Passage], source: Source) -> bool:
    return any(token.folded in source.lexicon.doubling for passage in passages for token in passage.tokens)


def _beside(claim: Passage, support: Sequence[Passage], source: Source) -> list[Passage]:
    """Return the sentences right before and after the supporting ones that speak of the same."""
    pairs = list(pairwise(source.sentences))
    beside = [after for before, after in pairs if before in support]
    beside += [before for before, after in pairs if after in support]
    return [sentence for sentence in beside if sentence.keys & claim.keys or goes_on(sentence, source)]


def _is_long(figure: Figure) -> bool:
    """Tell whether a number has so many digits that it is compared as it is written."""
    return float("inf") in figure.readings


def _is_in_like_company(figure: Figure, claim: Passage, source: Source) -> bool:
    ours = _company(claim, figure, source)
    return any(
        matches(figure, other) and likeness(ours, _company(passage, other, source)) >= SAME_PLACE
        for passage in source.sentences
        for other in passage.figures
    )


def _company(passage: Passage, figure: Figure, source: Source) -> dict[str, float]:
    return company(passage, figure.first, source.lexicon, figure.last)


def _figure_problem(figure: Figure, near: Sequence[Figure], source: Source) -> str:
    everywhere = [other for sentence in source.sentences for other in sentence.figures]
    is_elsewhere = find_match(figure, everywhere) is not None
    where, says = ("the supporting sentences", "they say") if is_elsewhere else ("the article", "it says")
    meant = likeliest(figure, near)
    instead = "" if meant is None else f": {says} '{meant.text}'"
    return f"'{figure.text}' is not in {where}{instead}"


def date_problems(claim: Passage, support: Sequence[Passage], source: Source) -> list[str]:
    """Return which months and weekdays of a takeaway the article does not have of this, in words."""
    near = frozenset[str]().union(*(passage.keys for passage in (*support, source.title)))
    return [
        f"'{claim.tokens[place].text}' is not in the supporting sentences"
        for place, date in dates_of(claim.tokens, source.lexicon).items()
        if date not in near and not _is_dated_alike(claim, place, date, source)
    ]


def _is_dated_alike(claim: Passage, place: int, date: str, source: Source) -> bool:
    """Tell whether another sentence has a month or weekday next to the same words."""
    ours = company(claim, place, source.lexicon)
    return any(
        other == date and likeness(ours, company(passage, there, source.lexicon)) >= SAME_PLACE
        for passage in source.sentences
        if date in passage.keys
        for there, other in dates_of(passage.tokens, source.lexicon).items()
    )
