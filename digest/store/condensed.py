"""What condense made of articles: takeaways with their support, and topics with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import Condensed, Origin, Span, Takeaway
from digest.domain.newsletters import NewsletterId
from digest.domain.times import Window
from digest.domain.topics import TopicMatch, TopicSlug
from digest.store.articles import ArticleId, ArticleRow, StoredArticle, articles_in, stored_from
from digest.store.base import Base, Json
from digest.store.newsletters import TopicRow


class TakeawayRow(Base):
    """A takeaway and the spans of the article's text that support it."""

    __tablename__ = "takeaways"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(16))
    support: Mapped[list[list[int]]] = mapped_column(Json)


class ArticleTopicRow(Base):
    """An article belongs to a topic: how strongly, and why."""

    __tablename__ = "article_topics"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(
        ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    score: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that may stand in an issue, with all that condense found."""

    stored: StoredArticle
    takeaways: tuple[Takeaway, ...]
    why_none: str
    topics: tuple[TopicMatch, ...]


def uncondensed_articles(session: Session, newsletter_id: NewsletterId) -> tuple[StoredArticle, ...]:
    """Return the articles whose takeaways are missing or were made from an older text, oldest first.

    Before them come the copies of such articles: what their original is used for may have changed.
    """
    own = ArticleRow.newsletter_id == newsletter_id
    pending = or_(ArticleRow.condensed_hash.is_(None), ArticleRow.condensed_hash != ArticleRow.content_hash)
    originals = select(ArticleRow.id).where(own, pending).scalar_subquery()
    rows = session.scalars(
        select(ArticleRow)
        .where(own, or_(pending, ArticleRow.copies_id.in_(originals)))
        .order_by(ArticleRow.copies_id.is_(None), ArticleRow.id)
    ).all()
    return stored_from(session, rows)


def forget_condensed(session: Session, newsletter_id: NewsletterId, *, since: datetime) -> int:
    """Mark the articles published since then as not condensed; return how many."""
    result = session.connection().execute(
        update(ArticleRow)
        .where(ArticleRow.newsletter_id == newsletter_id, ArticleRow.counted_at >= since)
        .values(condensed_hash=None)
    )
    return result.rowcount


def record_condensed(
    session: Session,
    article_id: ArticleId,
    condensed: Condensed,
    matches: Sequence[TopicMatch],
    *,
    topic_ids: dict[TopicSlug, int],
    of: str,
) -> None:
    """Replace an article's takeaways and topics by these, which were made from the text with hash `of`."""
    session.execute(delete(TakeawayRow).where(TakeawayRow.article_id == article_id))
    session.execute(delete(ArticleTopicRow).where(ArticleTopicRow.article_id == article_id))
    session.add_all(
        TakeawayRow(
            article_id=article_id,
            position=position,
            text=takeaway.text,
            origin=takeaway.origin,
            support=[[span.start, span.end] for span in takeaway.support],
        )
        for position, takeaway in enumerate(condensed.takeaways)
    )
    session.add_all(
        ArticleTopicRow(
            article_id=article_id, topic_id=topic_ids[match.slug], score=match.score, reason=match.reason
        )
        for match in matches
    )
    session.execute(
        update(ArticleRow)
        .where(ArticleRow.id == article_id)
        .values(condensed_hash=of, why_none=condensed.why_none or "")
    )


def candidates_in(session: Session, newsletter_id: NewsletterId, window: Window) -> tuple[Candidate, ...]:
    """Return the window's articles with their takeaways and topics (in falling score), newest first."""
    stored = articles_in(session, newsletter_id, window)
    ids = [entry.id for entry in stored]
    takeaways = _takeaways(session, ids)
    topics = _topics(session, ids)
    reasons = dict(
        session.execute(select(ArticleRow.id, ArticleRow.why_none).where(ArticleRow.id.in_(ids))).all()
    )
    return tuple(
        Candidate(entry, takeaways.get(entry.id, ()), reasons[entry.id], topics.get(entry.id, ()))
        for entry in stored
    )


def _takeaways(session: Session, ids: list[ArticleId]) -> dict[int, tuple[Takeaway, ...]]:
    found: dict[int, tuple[Takeaway, ...]] = {}
    rows = session.scalars(
        select(TakeawayRow)
        .where(TakeawayRow.article_id.in_(ids))
        .order_by(TakeawayRow.article_id, TakeawayRow.position)
    )
    for row in rows:
        support = tuple(Span(start, end) for start, end in row.support)
        takeaway = Takeaway(row.text, Origin(row.origin), support)
        found[row.article_id] = (*found.get(row.article_id, ()), takeaway)
    return found


def _topics(session: Session, ids: list[ArticleId]) -> dict[int, tuple[TopicMatch, ...]]:
    found: dict[int, tuple[TopicMatch, ...]] = {}
    rows = session.execute(
        select(ArticleTopicRow.article_id, TopicRow.slug, ArticleTopicRow.score, ArticleTopicRow.reason)
        .join(TopicRow, TopicRow.id == ArticleTopicRow.topic_id)
        .where(ArticleTopicRow.article_id.in_(ids))
        .order_by(ArticleTopicRow.article_id, ArticleTopicRow.score.desc(), TopicRow.position)
    )
    for article_id, slug, score, reason in rows:
        match = TopicMatch(TopicSlug(slug), score, reason)
        found[article_id] = (*found.get(article_id, ()), match)
    return found
