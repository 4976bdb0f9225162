"""The articles an issue holds: chosen while it is a draft, carried once it is approved."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import IssueId, IssueState
from digest.domain.newsletters import NewsletterId
from digest.store.articles import ArticleId, ArticleRow
from digest.store.base import Base, Json
from digest.store.issues import IssueRow, lock_draft


class ItemRow(Base):
    """An article in an issue. `also` holds the ids of other reports of its story, `parts` its score."""

    __tablename__ = "items"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int]
    score: Mapped[float]
    also: Mapped[list[int]] = mapped_column(Json)
    parts: Mapped[list[tuple[float, str]]] = mapped_column(Json, default=list)


@dataclass(frozen=True, slots=True)
class ScorePart:
    """What one thing adds to an item's score, below zero when it takes away, and why in words."""

    points: float
    reason: str


@dataclass(frozen=True, slots=True)
class ChosenItem:
    """An article chosen for an issue, how it scored and why, and the other reports of its story."""

    article_id: ArticleId
    score: float
    also: tuple[ArticleId, ...] = ()
    parts: tuple[ScorePart, ...] = ()


def replace_items(session: Session, issue_id: IssueId, items: Sequence[ChosenItem]) -> None:
    """Let the issue hold exactly `items`, in this order. Raises `Conflict` unless it is a draft."""
    lock_draft(session, issue_id)
    session.execute(delete(ItemRow).where(ItemRow.issue_id == issue_id))
    session.add_all(
        ItemRow(
            issue_id=issue_id,
            article_id=item.article_id,
            position=position,
            score=item.score,
            also=list(item.also),
            parts=[(part.points, part.reason) for part in item.parts],
        )
        for position, item in enumerate(items)
    )
    session.flush()


def items_of(session: Session, issue_id: IssueId) -> tuple[ChosenItem, ...]:
    """Return an issue's items in order."""
    rows = session.scalars(select(ItemRow).where(ItemRow.issue_id == issue_id).order_by(ItemRow.position))
    return tuple(
        ChosenItem(
            ArticleId(row.article_id),
            row.score,
            tuple(map(ArticleId, row.also)),
            tuple(ScorePart(points, reason) for points, reason in row.parts),
        )
        for row in rows
    )


def reports_of(session: Session, issue_id: IssueId) -> tuple[tuple[ArticleId, ...], ...]:
    """Return an issue's items in order: of each its article, then the other reports of its story."""
    query = select(ItemRow.article_id, ItemRow.also).where(ItemRow.issue_id == issue_id)
    rows = session.execute(query.order_by(ItemRow.position))
    return tuple(tuple(map(ArticleId, (article_id, *also))) for article_id, also in rows)


def count_items(session: Session, issue_ids: Collection[IssueId]) -> Mapping[IssueId, int]:
    """Return how many articles each of these issues holds; those that hold none are missing."""
    query = select(ItemRow.issue_id, func.count()).where(ItemRow.issue_id.in_(issue_ids))
    return {IssueId(id_): count for id_, count in session.execute(query.group_by(ItemRow.issue_id))}


def carried_articles(
    session: Session, newsletter_id: NewsletterId, *, but: IssueId | None, since: datetime
) -> frozenset[ArticleId]:
    """Return the articles whose story another issue has carried or is about to carry.

    Looked at are issues of windows that end after `since`. An article is carried as an item, as another
    report of an item's story, or because it tells the same story as one of these.
    """
    gone = (IssueState.APPROVED, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)
    query = (
        select(ItemRow.article_id, ItemRow.also)
        .join(IssueRow, IssueRow.id == ItemRow.issue_id)
        .where(IssueRow.newsletter_id == newsletter_id, IssueRow.state.in_(gone), IssueRow.window_end > since)
    )
    if but is not None:
        query = query.where(IssueRow.id != but)
    told = {one for article_id, also in session.execute(query) for one in (article_id, *also)}
    stories = select(ArticleRow.story_id).where(ArticleRow.id.in_(told), ArticleRow.story_id.is_not(None))
    retold = session.scalars(select(ArticleRow.id).where(ArticleRow.story_id.in_(stories)))
    return frozenset(map(ArticleId, told.union(retold)))
