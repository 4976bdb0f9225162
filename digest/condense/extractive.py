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
from digest.condense.ranking import Option, Subject, choose, likely_sources
from digest.condense.standing import is_mid_quote, is_personal, leans, opens_with_quote
from digest.condense.styles import Manner, letters_per_word
from digest.condense.trimming import forms
from digest.condense.words import WORD, count_words, stems, words
from digest.condense.worth import Terms, common_names, features, worth_of_words
from digest.domain.articles import Article, Origin, Style, Takeaway

LEANING = 1.0
"""Against a form that opens with a pronoun, a connective or a quotation, in points of ROUGE-1."""
BROKEN = 5.0
"""Against a form with half of a quotation or parenthesis: never, where there is anything else."""
ASKING = 0.8
"""Against a question: it says nothing yet."""
PERSONAL = 0.4
"""Against first and second person: the writer speaks, or the reader is addressed."""
ROOMY = 30
"""Words from which on it is only held against a form that it leans or asks. With less room it is left out:
short sentences lean most, one in four of those of ten words. So it is in every language that the ranking
was not fitted on: what such a sentence is worth all the same is known in none of them."""

_QUESTION = re.compile(r"[?？؟][\"'”’»)]*$")


def extract(
    article: Article, *, count: int, max_words: int, style: Style, model: Model | None = None
) -> tuple[Takeaway, ...]:
    """Return at most `count` takeaways of at most `max_words` words, in the order of the article.

    Never more than half of the sentences worth ranking, so a short article gives fewer; none when no
    sentence qualifies. The same article gives the same takeaways. `model` is the package's unless given.
    """
    model = model or fitted()
    language = get_language(article.language)
    candidates = find_candidates(article, language)
    if not candidates:
        return ()
    manner = Manner(style, language, letters_per_word(WORD.findall(article.text)))
    subject = find_subject(candidates, article.title, language, model.worth)
    options = find_options(candidates, subject, manner, max_words)
    if max_words < ROOMY or not language.is_fitted:
        options = _that_stand(options)
    chosen = choose(options, subject, min(count, max(1, len(candidates) // 2)), model.sets)
    return tuple(
        Takeaway(option.text, Origin.EXTRACTIVE, (candidates[option.source].support,)) for option in chosen
    )


def find_options(
    candidates: Sequence[Candidate], subject: Subject, manner: Manner, max_words: int
) -> list[Option]:
    """Return the forms of at most `max_words` words of the candidates most worth a look, in order."""
    wholes = [_option(candidate, place, candidate.text, manner) for place, candidate in enumerate(candidates)]
    # Apart, so that sentences too long for any of their forms crowd out none that is short enough.
    short = likely_sources([whole for whole in wholes if whole.length <= max_words], subject)
    long = likely_sources([whole for whole in wholes if whole.length > max_words], subject)
    likely = sorted(short | long)
    options = (form for source in likely for form in _forms(wholes[source], candidates[source], manner))
    return [option for option in options if option.length <= max_words]


def _that_stand(options: Sequence[Option]) -> list[Option]:
    """Return the forms that ask nothing and stand alone; all when none does."""
    return [option for option in options if not (option.is_question or option.leans)] or list(options)


def _forms(whole: Option, candidate: Candidate, manner: Manner) -> Iterator[Option]:
    texts = forms(candidate.text, manner.language)
    for text in (min(texts, key=len),) if manner.only_shortest else texts:
        yield whole if text == whole.text else _option(candidate, whole.source, text, manner)


def _option(candidate: Candidate, source: int, text: str, manner: Manner) -> Option:
    language, written = manner.language, WORD.findall(text)
    personal = is_personal(written, language)
    leaning = leans(text, language) or opens_with_quote(text)
    asking = bool(_QUESTION.search(text))
    against = BROKEN * is_mid_quote(text) + LEANING * leaning + ASKING * asking + PERSONAL * personal
    return Option(
        text,
        source,
        candidate.position,
        frozenset(stems(map(str.casefold, written), language)),
        count_words(text),
        is_cut=text != candidate.text,
        is_personal=personal,
        is_question=asking,
        leans=leaning,
        against=against + manner.against(text, written),
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
    written = WORD.findall(candidate.text)
    capitalised = [word.casefold() for word in written[1:] if word[0].isupper()]
    return Terms(
        stems(map(str.casefold, written), language),
        frozenset(stems(capitalised, language)),
        candidate.position,
    )
