"""Which report of a story leads: the one a digest shows, while the others are named beside it.

Here because gather and compose both rank reports, and a stage does not import another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from digest.domain.articles import Article, TextOrigin

_NO_DATE = datetime.max.replace(tzinfo=UTC)
# Reports within a quarter of each other's length are about as full.
_FULLER = math.log(1.25)


@dataclass(frozen=True, slots=True)
class Report:
    """One article of a story, with what it does not say of itself.

    `weight` is its source's, 1 for an ordinary one. `has_takeaways` says that there is something to show of
    it, `has_publishers` that its publisher wrote them; `is_copy` that another report of the story has the
    same text and had it earlier.
    """

    article: Article
    weight: float = 1.0
    has_takeaways: bool = True
    has_publishers: bool = False
    is_copy: bool = False


def lead_order(reports: Sequence[Report]) -> tuple[int, ...]:
    """Return the indices of `reports`, the one that leads first; the order they come in decides nothing."""
    return tuple(sorted(range(len(reports)), key=lambda index: _rank(reports[index])))


def _rank(report: Report) -> tuple[bool, bool, float, bool, bool, float, datetime, str]:
    """Return the criteria in their order; `_WORDS` says each in words."""
    article = report.article
    words = article.word_count
    return (
        not report.has_takeaways or not words or article.is_partial or bool(article.reservation),
        article.text_origin is not TextOrigin.PAGE,
        -report.weight,
        not report.has_publishers,
        report.is_copy,
        -round(math.log(words) / _FULLER) if words else math.inf,
        article.published_at or _NO_DATE,
        # Not by id: articles are numbered as their pages happen to come in.
        article.url,
    )


_WORDS = (
    "only it can be shown in full",
    "it was read from its page, not from a feed",
    "its source weighs most",
    "its publisher wrote takeaways",
    "it is the original, not a copy",
    "it is the fuller report",
    "it is the earlier report",
    "all else being equal, its address comes first",
)


def why_leads(lead: Report, other: Report) -> str:
    """Return in words that an editor reads why the report that leads comes before another one."""
    pairs = zip(_WORDS, _rank(lead), _rank(other), strict=True)
    return next((words for words, own, other in pairs if own != other), _WORDS[-1])
