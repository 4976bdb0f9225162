"""Checking a takeaway that was not taken from the article's own words against the article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.condense.grounding.amounts import find_match, likeliest, matches
from digest.condense.grounding.company import company, likeness
from digest.condense.grounding.figures import Figure
from digest.condense.grounding.names import name_problems
from digest.condense.grounding.polarity import polarity_problems
from digest.condense.grounding.quotes import quote_problems
from digest.condense.grounding.reading import Kind
from digest.condense.grounding.roles import role_problems
from digest.condense.grounding.source import (
    Passage,
    Source,
    choose_support,
    dates_of,
    read_passage,
    read_source,
    related,
)
from digest.domain.articles import Article, Span

LONGEST = 1_500
"""Characters of a takeaway; what is longer is none, and would take long to check."""
SAME_PLACE = 0.5
"""Likeness of the words around two figures from which they are of the same thing."""
MARGIN = 1.0
"""By how much another figure must fit better to be the one that was meant."""
LEAST_SHARED = 0.4
"""Of a takeaway's words, how many the article must have in some form."""


@dataclass(frozen=True, slots=True)
class Grounded:
    """What a takeaway rests on, in the article's order, and why it cannot be trusted, in an editor's words.

    Without problems it is grounded. `support` is empty when no sentence of the article has a word of it.
    """

    support: tuple[Span, ...]
    problems: tuple[str, ...]


def ground(text: str, article: Article) -> Grounded:
    """Find the sentences a takeaway rests on, and check it against them.

    Checked are names, figures with their units, dates, quotations, negation and direction, who does what to
    whom, and that its words are the article's at all. It never raises. A takeaway that passes need not be
    true: what is said in words that no list knows is not understood.
    """
    if len(text) > LONGEST:
        return Grounded((), (f"it has {len(text)} characters: too long for a takeaway",))
    source = read_source(article)
    claim = read_passage(text, source.language, source.lexicon)
    if not any(token.kind is not Kind.MARK for token in claim.tokens):
        return Grounded((), ("it has no words",))
    if not source.sentences:
        return Grounded((), ("the article has no text to check it against",))
    support = choose_support(claim, source)
    near = [*support, *(passage for passage in related(claim, source) if passage not in support)]
    problems = (
        *figure_problems(claim, support, source),
        *date_problems(claim, support, source),
        *name_problems(claim, support, source),
        *quote_problems(text, article),
        *polarity_problems(claim, near, source),
        *role_problems(claim, near, source),
        *invention_problems(claim, source),
    )
    spans = sorted((passage.span for passage in support if passage.span), key=lambda span: span.start)
    return Grounded(tuple(spans), tuple(dict.fromkeys(problems)))


def figure_problems(claim: Passage, support: Sequence[Passage], source: Source) -> list[str]:
    """Return which figures of a takeaway the article does not bear out, in words.

    A figure must be in the supporting sentences, or elsewhere in the same company; and not where another
    figure of theirs keeps the company that it keeps in the takeaway.
    """
    near = [*support, source.title]
    problems = []
    for figure in claim.figures:
        if figure.may_be_loose or any(figure.text in passage.text for passage in near if _is_long(figure)):
            continue
        match = _best_match(figure, claim, near, source)
        if match is None and _best_match(figure, claim, source.sentences, source, least=SAME_PLACE):
            continue
        rival = None if match is None else _rival(figure, match, claim, near, source)
        if match is None:
            problems.append(_figure_problem(figure, [f for passage in near for f in passage.figures], source))
        elif rival is not None:
            problems.append(
                f"'{figure.text}' is said of something else: here the article says '{rival.text}'"
            )
    return problems


def _is_long(figure: Figure) -> bool:
    """Tell whether a number has so many digits that it is compared as it is written."""
    return float("inf") in figure.readings


def _best_match(
    figure: Figure, claim: Passage, passages: Sequence[Passage], source: Source, *, least: float = 0
) -> Figure | None:
    """Return the figure that bears `figure` out in the company most like its own; None below `least`."""
    found = [pair for pair in _by_likeness(figure, claim, passages, source) if matches(figure, pair[1])]
    best, match = max(found, key=lambda pair: pair[0], default=(0.0, None))
    return match if best >= least else None


def _rival(
    figure: Figure, match: Figure, claim: Passage, passages: Sequence[Passage], source: Source
) -> Figure | None:
    """Return another figure of the same kind that fits the takeaway's words much better; None for none."""
    found = _by_likeness(figure, claim, passages, source)
    own = max(alike for alike, other in found if matches(figure, other))
    rivals = [
        (alike, other)
        for alike, other in found
        if other.unit.dimension == match.unit.dimension
        and not other.may_be_loose
        and not any(matches(ours, other) for ours in claim.figures)
    ]
    nearest, rival = max(rivals, key=lambda pair: pair[0], default=(0.0, None))
    return rival if nearest >= max(SAME_PLACE, own + MARGIN) else None


def _by_likeness(
    figure: Figure, claim: Passage, passages: Sequence[Passage], source: Source
) -> list[tuple[float, Figure]]:
    """Return every figure of some passages with how like its company is to that of `figure`."""
    ours = _company(claim, figure, source)
    return [
        (likeness(ours, _company(passage, other, source)), other)
        for passage in passages
        for other in passage.figures
    ]


def _company(passage: Passage, figure: Figure, source: Source) -> dict[str, float]:
    return company(passage, figure.last, source.lexicon)


def _figure_problem(figure: Figure, near: Sequence[Figure], source: Source) -> str:
    everywhere = [other for sentence in source.sentences for other in sentence.figures]
    where = "in the supporting sentences" if find_match(figure, everywhere) else "in the article"
    meant = likeliest(figure, near)
    instead = "" if meant is None else f": it says '{meant.text}'"
    if where != "in the article" and meant is not None:
        instead = f": they say '{meant.text}'"
    return f"'{figure.text}' is not {where}{instead}"


def date_problems(claim: Passage, support: Sequence[Passage], source: Source) -> list[str]:
    """Return which months and weekdays of a takeaway the article does not have of this, in words."""
    problems = []
    for place, token in enumerate(claim.tokens):
        dates = dates_of([token], source.lexicon)
        if dates <= frozenset().union(*(passage.keys for passage in (*support, source.title))):
            continue
        ours = company(claim, place, source.lexicon)
        if not any(
            dates_of([other], source.lexicon) >= dates
            and likeness(ours, company(passage, there, source.lexicon)) >= SAME_PLACE
            for passage in source.sentences
            for there, other in enumerate(passage.tokens)
            if dates <= passage.keys
        ):
            problems.append(f"'{token.text}' is not in the supporting sentences")
    return problems


def invention_problems(claim: Passage, source: Source) -> list[str]:
    """Say so when most words of a takeaway are not the article's."""
    if not claim.keys:
        return []
    known = set().union(*(passage.keys for passage in source.passages))
    figures = sum(not figure.may_be_loose for figure in claim.figures)
    shared = len(claim.keys & known) + figures
    if shared >= LEAST_SHARED * (len(claim.keys) + figures):
        return []
    return ["most of its words are not in the article"]
