"""Which sentences of an article could be a takeaway at all, cleaned of what is not news."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from digest.condense.language import Language
from digest.condense.publisher import find_published
from digest.condense.sentences import split_sentences
from digest.condense.words import count_words
from digest.domain.articles import Article, BlockKind, Span

SHORTEST = 5
"""Words a sentence needs to say something."""
HEADLINE = 12
"""Words below which a line without a full stop is a heading, a label or a caption."""
BYLINE = 12
CAPTION = 40

_NEWS = frozenset({BlockKind.PARAGRAPH, BlockKind.LIST_ITEM})
_COMPLETE = re.compile(r"[.!?…。！？｡؟।۔][\"'”’»›“)\]」』）】]*$")
_UNFINISHED = re.compile(r"(?::\s*\.?|…|\.\.\.|\[…\]|\[\.\.\.\])$")
_LABELLED = re.compile(r"[^\s?!»]\s+\.$")
"""A full stop set apart: a heading, link or caption whose stop was added when the page became text."""
_BLANKS = re.compile(r"[ \t\r\n]+")
_OUTSIDE = re.compile(r"https?://|www\.|\S@\S+\.\w|©")
_DATED = re.compile(
    r"\W*(?:[^\W\d]{2,10}\.?,? )?"
    r"(?:\d{4}-\d\d-\d\d|\d{1,2}(?:\.|º|er)? (?:de )?[^\W\d]{3,}\.?,? (?:de )?\d{4})\b"
)
"""A day with its year: what such a short line without a full stop goes on to name is its writer."""
_SIGNED = re.compile(r"\s[/|]\s*[^\W\d_a-z][\w.'’-]+(?: [^\W\d_a-z][\w.'’-]+){1,3}$")
"""A name behind a stroke at the end: the caption's photographer."""

_AGENCIES = (
    "CNN|AP|AFP|Reuters|REUTERS|dpa|DPA|UPI|ANSA|Ansa|EFE|PAP|ANP|Lusa|LUSA|Bloomberg|Xinhua|TASS|Belga|KNA|epd"
    "|Kyodo|Yonhap|APA|SDA|ATS|AGI|CNBC|BBC|Adnkronos|Europa Press"
)
_SHORTENED = r"(?:(?<=\b[^\W\d_]{3})|(?<=\b[^\W\d_]{4}))\.(?=\s[\d(])"
"""The full stop of a month: "12 nov. 2026 (Lusa)", "Sept. 12 (AP)"."""
# What follows a dateline is a capital: "the agency (AFP) said" and "NASA — the agency — said" have none.
_BEFORE_AGENCY = rf"(?:[^.!?()\"“”]|{_SHORTENED}){{0,60}}"
_AGENCY = re.compile(rf"{_BEFORE_AGENCY}\((?:{_AGENCIES})[^)]{{0,20}}\)[.\s:–—-]*+(?![a-zà-ÿ])")
_CAPITAL = "A-ZÀ-ÖØ-ÞĄĆĘŁŃŚŹŻЁА-Я"
_CAPITALS = rf"[{_CAPITAL}][{_CAPITAL}.][{_CAPITAL}.'’-]*"
_DATE = r"(?:,(?:[^.!?()—–-]|(?<=[A-Za-z]{3})\.){1,30})?(?:\s*\([^().!?]{1,20}\))?"
"""Behind a place: "NEW YORK, Nov. 12, 2025", "SAN ROCCO (KSR)".

A local agency is known by its place alone."""
_PLACE = re.compile(
    rf"{_CAPITALS}(?:[ ,]+{_CAPITALS})*{_DATE}(?:\s*[—–]|\s*--|\s+-(?=\s))\s*+(?![a-zà-ÿа-яё])"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may become a takeaway.

    `support` is its place in the article's text, `text` what stands there but for a dateline and runs
    of white space, and `position` counts the article's sentences from 0.
    """

    text: str
    support: Span
    position: int


def find_candidates(article: Article, language: Language) -> list[Candidate]:
    """Return the sentences worth ranking, in order; none twice.

    Left out are headings, quotations, tables, code, the publisher's own takeaways, and what speaks of
    the page rather than the news: bylines, captions, "read more", calls to subscribe.
    """
    text = article.text
    known = {article.title.casefold(), article.image.alt.casefold() if article.image else ""}
    candidates: list[Candidate] = []
    for position, support in enumerate(_sentences(article, language)):
        sentence = text[support.start : support.end]
        cleaned = _BLANKS.sub(" ", sentence[_dateline_end(sentence) :])
        if cleaned.casefold() not in known and _is_news(cleaned, language):
            known.add(cleaned.casefold())
            candidates.append(Candidate(cleaned, support, position))
    return candidates


def _sentences(article: Article, language: Language) -> Iterator[Span]:
    published = {span.start for takeaway in find_published(article) for span in takeaway.support}
    for place, block in article.located_blocks():
        is_published = any(place.start <= start < place.end for start in published)
        if block.kind not in _NEWS or is_published or _is_about_page(block.text, language):
            continue
        for span in split_sentences(block.text, article.language):
            yield Span(place.start + span.start, place.start + span.end)


def _is_about_page(text: str, language: Language) -> bool:
    """Tell whether a short paragraph names its photographer, agency or day: then none of it is news."""
    length = count_words(text)
    if length > CAPTION:
        return False
    if length < BYLINE and _DATED.match(text) and not _COMPLETE.search(text):
        return True
    folded = _folded(text)
    return (
        "©" in text
        or _SIGNED.search(text) is not None
        or _patterns(language).credit.search(folded) is not None
        or _speaks_of_page(folded, language)
    )


def _speaks_of_page(folded: str, language: Language) -> bool:
    # Looked for as they stand first: a pattern of so many phrases is slow to search.
    found = any(phrase in folded for phrase in language.chrome_anywhere)
    return found and _patterns(language).chrome_anywhere.search(folded) is not None


def _folded(text: str) -> str:
    return text.casefold().replace("’", "'")


def _dateline_end(sentence: str) -> int:
    dateline = _AGENCY.match(sentence) or _PLACE.match(sentence)
    return dateline.end() if dateline else 0


def _is_news(sentence: str, language: Language) -> bool:
    length = count_words(sentence)
    if (
        length < SHORTEST
        or _OUTSIDE.search(sentence)
        or _UNFINISHED.search(sentence)
        or _LABELLED.search(sentence)
    ):
        return False
    if length < HEADLINE and not _COMPLETE.search(sentence):
        return False
    patterns = _patterns(language)
    folded = _folded(sentence)
    if patterns.chrome.match(folded) or _speaks_of_page(folded, language):
        return False
    return not (length < BYLINE and patterns.byline.match(folded) and not _COMPLETE.search(sentence))


@dataclass(frozen=True, slots=True)
class _Patterns:
    chrome: re.Pattern[str]
    chrome_anywhere: re.Pattern[str]
    byline: re.Pattern[str]
    credit: re.Pattern[str]


@cache
def _patterns(language: Language) -> _Patterns:
    return _Patterns(
        chrome=re.compile(rf"\W*{_any_of(language.chrome)}"),
        chrome_anywhere=re.compile(rf"(?<!\w){_any_of(language.chrome_anywhere)}"),
        byline=re.compile(rf"\W*{_any_of(language.bylines)}"),
        credit=_credit(language),
    )


def _credit(language: Language) -> re.Pattern[str]:
    """Return a pattern for "Photo: A. Name" at the end of a paragraph; "photo by A. Name" has no mark."""
    marked = _any_of(tuple(credit for credit in language.credits if " " not in credit))
    unmarked = _any_of(tuple(credit for credit in language.credits if " " in credit))
    return re.compile(rf"(?:^|[.!?)(|/] ?)(?:{marked}\s?[^\w\s]|{unmarked}\s)\s?[^.!?]{{2,40}}$")


def _any_of(phrases: tuple[str, ...]) -> str:
    """Return a pattern for any of the folded phrases, as whole words; for none, one that never matches."""
    whole = (re.escape(phrase) + (r"(?!\w)" if phrase[-1].isalnum() else "") for phrase in phrases)
    return f"(?:{'|'.join(whole)})" if phrases else "(?!)"
