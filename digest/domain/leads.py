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


@dataclass(frozen=True, slots=True)
class Lead:
    """The index of the report that leads, and why in words an editor reads ('' when it is alone)."""

    index: int
    why: str


def choose_lead(reports: Sequence[Report]) -> Lead:
    """Return which of `reports` leads. Raises `ValueError` when there are none."""
    if not reports:
        raise ValueError("a story has at least one report")
    first, *others = lead_order(reports)
    return Lead(first, _why(reports[first], reports[others[0]]) if others else "")


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
    "the only one that can be shown in full",
    "read from its page, not from a feed",
    "its source weighs most",
    "its publisher wrote takeaways",
    "the original, not a copy",
    "the fullest report",
    "the earliest report",
    "first by address, all else being equal",
)


def _why(lead: Report, runner_up: Report) -> str:
    pairs = zip(_WORDS, _rank(lead), _rank(runner_up), strict=True)
    return next((words for words, own, other in pairs if own != other), _WORDS[-1])
