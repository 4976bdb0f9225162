"""Checking a takeaway that was not taken from the article's own words against the article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.condense.grounding.amounts import find_match, likeliest
from digest.condense.grounding.figures import Figure
from digest.condense.grounding.names import name_problems
from digest.condense.grounding.polarity import polarity_problems
from digest.condense.grounding.quotes import quote_problems
from digest.condense.grounding.reading import Kind
from digest.condense.grounding.roles import role_problems
from digest.condense.grounding.source import Passage, Source, choose_support, dates_of, read_passage, read_source, related
from digest.domain.articles import Article, Span

LONGEST = 1_500
"""Characters of a takeaway; what is longer is none, and would take long to check."""
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
    """Return which figures of a takeaway the supporting sentences do not bear out, in words."""
    near = [figure for passage in (*support, source.title) for figure in passage.figures]
    problems = []
    for figure in claim.figures:
        is_quoted = any(figure.text in passage.text for passage in support)
        if figure.may_be_loose or is_quoted or find_match(figure, near):
            continue
        problems.append(_figure_problem(figure, near, source))
    return problems


def _figure_problem(figure: Figure, near: Sequence[Figure], source: Source) -> str:
    everywhere = [other for sentence in source.sentences for other in sentence.figures]
    where = "in the supporting sentences" if find_match(figure, everywhere) else "in the article"
    meant = likeliest(figure, near)
    instead = "" if meant is None else f": it says '{meant.text}'"
    if where != "in the article" and meant is not None:
        instead = f": they say '{meant.text}'"
    return f"'{figure.text}' is not {where}{instead}"


def date_problems(claim: Passage, support: Sequence[Passage], source: Source) -> list[str]:
    """Return which months and weekdays of a takeaway the supporting sentences do not have, in words."""
    near = dates_of((token for passage in (*support, source.title) for token in passage.tokens), source.lexicon)
    return [
        f"'{token.text}' is not in the supporting sentences"
        for token in claim.tokens
        if not dates_of([token], source.lexicon) <= near
    ]


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
