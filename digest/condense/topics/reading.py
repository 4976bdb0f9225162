"""An article as the rules of topics look at it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from digest.condense.topics.comparing import compared, without_diacritics
from digest.domain.articles import Article, BlockKind

OPENING_WORDS = 60
"""The opening, where a text says what it is about; headings count like it."""
USUAL_WORDS = 300
"""The length at which a mention counts in full; it counts less in a longer text, by the square root."""
MOST_FOR_SHORT = 1.4

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Wording:
    """Title and text made comparable, and where the opening of `text` ends.

    `text` holds the headings and then the other blocks, a line each, so that no phrase spans two.
    """

    title: str
    text: str
    opening_end: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a rule can ask about. Labels and sources are by their compared form."""

    exact: Wording
    bare: Wording
    weight_of_mention: float
    categories: Mapping[str, str]
    sources: Mapping[str, str]
    sites: tuple[str, ...]
    byline: str
    language: str
    url: str


def read(article: Article, sources: Collection[str]) -> Reading:
    """Return `article` as rules see it; `sources` are the names of those that list it."""
    headings = [compared(block.text) for block in article.blocks if block.kind is BlockKind.HEADING]
    others = [compared(block.text) for block in article.blocks if block.kind is not BlockKind.HEADING]
    above, body = "".join(f"{heading}\n" for heading in headings), "\n".join(others)
    title = compared(article.title)
    return Reading(
        exact=_wording(title, above, body),
        bare=_wording(*map(without_diacritics, (title, above, body))),
        weight_of_mention=min(MOST_FOR_SHORT, math.sqrt(USUAL_WORDS / max(1, article.word_count))),
        categories={compared(category): category for category in article.categories},
        sources={compared(source): source for source in sources},
        sites=_sites(article),
        byline=compared(article.byline or ""),
        language=(article.language or "").partition("-")[0].lower(),
        url=compared(article.url),
    )


def _wording(title: str, above: str, body: str) -> Wording:
    return Wording(title, above + body, len(above) + _end_of_opening(body))


def _end_of_opening(body: str) -> int:
    words = islice(_WORD.finditer(body), OPENING_WORDS)
    return max((word.end() for word in words), default=0)


def _sites(article: Article) -> tuple[str, ...]:
    host = _host(article.url)
    return tuple(site for site in (host, compared(article.site_name or "")) if site)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
