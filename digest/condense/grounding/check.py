"""Checking a takeaway that was not taken from the article's own words against the article."""

from __future__ import annotations

from dataclasses import dataclass

from digest.condense.grounding.facts import date_problems, figure_problems
from digest.condense.grounding.names import name_problems
from digest.condense.grounding.polarity import polarity_problems
from digest.condense.grounding.quotes import quote_problems
from digest.condense.grounding.reading import Kind
from digest.condense.grounding.roles import role_problems
from digest.condense.grounding.source import (
    Passage,
    Source,
    choose_support,
    read_passage,
    read_source,
    related,
)
from digest.domain.articles import Article, Span

LONGEST = 1_000
"""Characters of a takeaway; what is longer is none, and would take long to check."""
LEAST_SHARED = 0.3
"""Of a takeaway's words, how many the article must have in some form."""
PART = 5
"""Letters of a word that count when it is part of another: Rechnungen in Kerzenrechnungen."""


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


def invention_problems(claim: Passage, source: Source) -> list[str]:
    """Say so when most words of a takeaway are not the article's, not even as a part of a compound."""
    words = [token for token in claim.tokens if token.key]
    known = frozenset[str]().union(*(passage.keys for passage in source.passages))
    parts = [word for word in source.folded if len(word) >= PART]
    shared = sum(token.key in known or any(part in token.folded for part in parts) for token in words)
    figures = sum(not figure.may_be_loose for figure in claim.figures)
    if shared + figures >= LEAST_SHARED * (len(words) + figures):
        return []
    return ["most of its words are not in the article"]
