"""What sources bring: how many articles each listed lately, and how many of these went into an issue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.domain.sources import SourceId
from digest.store.articles import ArticleRow, SightingRow
from digest.store.items import ItemRow


@dataclass(frozen=True, slots=True)
class Yield:
    """`articles` that a source listed, `used` of which an issue carried or a draft carries."""

    articles: int
    used: int


def yields(session: Session, newsletter_id: NewsletterId, *, since: datetime) -> Mapping[SourceId, Yield]:
    """Return what each source of a newsletter brought since then; one that brought nothing is not there."""
    is_used = exists().where(ItemRow.article_id == ArticleRow.id)
    rows = session.execute(
        select(SightingRow.source_id, func.count(), func.sum(case((is_used, 1), else_=0)))
        .join(ArticleRow, ArticleRow.id == SightingRow.article_id)
        .where(ArticleRow.newsletter_id == newsletter_id, ArticleRow.counted_at >= since)
        .group_by(SightingRow.source_id)
    )
    return {SourceId(source): Yield(articles, used) for source, articles, used in rows}
