"""Takeaways drawn from the article itself: the few sentences that together cover most of what it says.

The sentences that could be one (see `candidates`) are offered in their shorter forms too (`trimming`). What
cannot stand alone (`standing`) or is not in the newsletter's style (`styles`) is held against a form, and
`ranking` chooses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from digest.condense.candidates import Candidate, find_candidates
from digest.condense.language import Language, get_language
from digest.condense.model import Model, fitted
from digest.condense.ranking import Option, Subject, choose
from digest.condense.standing import is_mid_quote, is_personal, leans, opens_with_quote
from digest.condense.styles import Manner, letters_per_word
from digest.condense.trimming import forms
from digest.condense.words import WORD, count_words, stems, words
from digest.condense.worth import Terms, common_names, features, worth_of_words
from digest.domain.articles import Article, Origin, Style, Takeaway

LEANING = 1.5
"""Against a form that cannot stand alone, in points of ROUGE-1. One in fifteen is still worth it."""
ASKING = 1.0
"""Against a question: it says nothing yet."""
PERSONAL = 1.0
"""Against first and second person: the writer speaks, or the reader is addressed."""

_QUESTION = re.compile(r"[?？؟][\"'”’»)]*$")


def extract(
    article: Article, *, count: int, max_words: int, style: Style, model: Model | None = None
) -> tuple[Takeaway, ...]:
    """Return at most `count` takeaways of at most `max_words` words, in the order of the article.

    Never more than half of the sentences worth ranking, so a short article gives fewer; none when no
    sentence qualifies. The same article gives the same takeaways. `model` is the one of the package unless given.
    """
    model = model or fitted()
    language = get_language(article.language)
    candidates = find_candidates(article, language)
    if not candidates:
        return ()
    manner = Manner(style, language, letters_per_word(article.text))
    options = [option for option in find_options(candidates, manner) if option.length <= max_words]
    subject = find_subject(candidates, article.title, language, model.worth)
    chosen = choose(options, subject, min(count, max(1, len(candidates) // 2)), model.sets)
    return tuple(
        Takeaway(option.text, Origin.EXTRACTIVE, (candidates[option.source].support,)) for option in chosen
    )


def find_options(candidates: Sequence[Candidate], manner: Manner) -> Iterator[Option]:
    """Yield the forms of the candidates, in order."""
    for source, candidate in enumerate(candidates):
        texts = forms(candidate.text, manner.language)
        for text in (min(texts, key=len),) if manner.only_shortest else texts:
            yield _option(candidate, source, text, manner)


def _option(candidate: Candidate, source: int, text: str, manner: Manner) -> Option:
    language = manner.language
    personal = is_personal(text, language)
    cannot_stand = leans(text, language) or opens_with_quote(text) or is_mid_quote(text)
    against = LEANING * cannot_stand + ASKING * bool(_QUESTION.search(text)) + PERSONAL * personal
    return Option(
        text,
        source,
        candidate.position,
        frozenset(stems(words(text), language)),
        count_words(text),
        is_cut=text != candidate.text,
        is_personal=personal,
        against=against + manner.against(text),
    )


def find_subject(
    candidates: Sequence[Candidate], title: str, language: Language, weights: Mapping[str, float]
) -> Subject:
    """Return what the article is about, judged by its candidates (at least one) and its title."""
    found = features([terms_of(candidate, language) for candidate in candidates])
    return Subject(
        {stem: feature.count for stem, feature in found.items()},
        worth_of_words(found, set(stems(words(title), language)), weights),
        common_names(found),
        frozenset(stems(words(candidates[0].text), language)),
        candidates[-1].position + 1,
    )


def terms_of(candidate: Candidate, language: Language) -> Terms:
    """Return the stems of a sentence; its first word's capital does not make it a name."""
    capitalised = [word.casefold() for word in WORD.findall(candidate.text)[1:] if word[0].isupper()]
    return Terms(
        stems(words(candidate.text), language), frozenset(stems(capitalised, language)), candidate.position
    )
