"""What the last issues told, which new articles are weighed against, and what weighed for their items."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.times import Window
from digest.store.articles import ArticleId, StoredArticle, articles_by_id
from digest.store.issues import IssueRow
from digest.store.items import ItemRow, ScorePart, items_of

_ISSUES = 4
"""A month of a weekly: what was told before is news again."""

_OUT = (IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


def told_before(
    session: Session, newsletter_id: NewsletterId, window: Window, *, but: IssueId | None
) -> tuple[StoredArticle, ...]:
    """Return the items of the newsletter's last issues before `window` ends, the newest issue's first."""
    issues = (
        select(IssueRow.id)
        .where(
            IssueRow.newsletter_id == newsletter_id,
            IssueRow.state.in_(_OUT),
            IssueRow.window_end <= window.end,
            IssueRow.id != (but or 0),
        )
        .order_by(IssueRow.window_end.desc(), IssueRow.id.desc())
        .limit(_ISSUES)
    )
    numbers = list(session.scalars(issues))
    rows = session.execute(
        select(ItemRow.issue_id, ItemRow.article_id)
        .where(ItemRow.issue_id.in_(numbers))
        .order_by(ItemRow.position)
    ).all()
    by_issue = sorted(rows, key=lambda row: numbers.index(row.issue_id))
    stored = articles_by_id(session, {ArticleId(row.article_id) for row in rows})
    return tuple(stored[ArticleId(row.article_id)] for row in by_issue)


@dataclass(frozen=True, slots=True)
class ItemScore:
    """An item of an issue and what its score was made of when it was chosen."""

    article_id: ArticleId
    title: str
    score: float
    parts: tuple[ScorePart, ...]


def scores_of(session: Session, issue_id: IssueId) -> tuple[ItemScore, ...]:
    """Return the scores of an issue's items in its order; without parts where an older version chose them."""
    items = items_of(session, issue_id)
    stored = articles_by_id(session, [item.article_id for item in items])
    return tuple(
        ItemScore(item.article_id, stored[item.article_id].article.title, item.score, item.parts)
        for item in items
    )
