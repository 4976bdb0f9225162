"""What condense made of articles: takeaways with their support, and topics with their reasons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Text, and_, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import Condensed, Takeaway
from digest.domain.newsletters import NewsletterId
from digest.domain.times import Window
from digest.domain.topics import TopicMatch, TopicSlug
from digest.store.articles import (
    KEYS_AT_ONCE,
    ArticleId,
    ArticleRow,
    StoredArticle,
    articles_by_id,
    articles_in,
    stored_from,
)
from digest.store.base import Base
from digest.store.condensings import Condensing, current_versions
from digest.store.latecomers import latecomers
from digest.store.newsletters import TopicRow
from digest.store.versioning import Placed, record_version


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
    """An article that may stand in an issue, with all that condense found, or an editor made of it.

    An editor's takeaways (`is_edited`) are as many as the editor wants.
    """

    stored: StoredArticle
    takeaways: tuple[Takeaway, ...]
    why_none: str
    topics: tuple[TopicMatch, ...]
    is_edited: bool = False


def uncondensed_articles(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    after: StoredArticle | None = None,
    limit: int | None = None,
) -> tuple[StoredArticle, ...]:
    """Return the articles whose takeaways are missing or were made from an older text, oldest first.

    Before them come the copies of such articles: what their original is used for may have changed. With
    `after` only those that come after it in this order, and at most `limit` of them.
    """
    own = ArticleRow.newsletter_id == newsletter_id
    pending = or_(ArticleRow.condensed_hash.is_(None), ArticleRow.condensed_hash != ArticleRow.content_hash)
    originals = select(ArticleRow.id).where(own, pending).scalar_subquery()
    is_original = ArticleRow.copies_id.is_(None)
    query = select(ArticleRow).where(own, or_(pending, ArticleRow.copies_id.in_(originals)))
    if after is not None:
        later = and_(is_original == (after.copies_id is None), ArticleRow.id > after.id)
        query = query.where(or_(later, is_original) if after.copies_id is not None else later)
    rows = session.scalars(query.order_by(is_original, ArticleRow.id).limit(limit)).all()
    return stored_from(session, rows)


def forget_condensed(session: Session, newsletter_id: NewsletterId, *, since: datetime) -> int:
    """Mark the articles published since then as not condensed; return how many."""
    # In one order, as all who hold several articles take them: they never wait for each other.
    ids = (
        select(ArticleRow.id)
        .where(ArticleRow.newsletter_id == newsletter_id, ArticleRow.counted_at >= since)
        .order_by(ArticleRow.id)
        .with_for_update(key_share=True)
        .subquery()
    )
    result = session.connection().execute(
        update(ArticleRow).where(ArticleRow.id.in_(select(ids.c.id))).values(condensed_hash=None)
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
    now: datetime,
    is_withheld: bool = False,
) -> Placed:
    """Keep an article's takeaways, made from the text with hash `of`, and let these be its topics.

    Takeaways that an editor made go on to hold: see `record_version`.
    """
    recorded = record_version(session, article_id, condensed, of=of, now=now, is_withheld=is_withheld)
    session.execute(delete(ArticleTopicRow).where(ArticleTopicRow.article_id == article_id))
    session.add_all(
        ArticleTopicRow(
            article_id=article_id, topic_id=topic_ids[match.slug], score=match.score, reason=match.reason
        )
        for match in matches
    )
    session.execute(update(ArticleRow).where(ArticleRow.id == article_id).values(condensed_hash=of))
    return recorded


def candidates_in(session: Session, newsletter_id: NewsletterId, window: Window) -> tuple[Candidate, ...]:
    """Return the window's articles with their takeaways and topics (in falling score), newest first.

    Behind them come those that were too late for the issue before.
    """
    stored = (
        *articles_in(session, newsletter_id, window),
        *latecomers(session, newsletter_id, window),
    )
    ids = [entry.id for entry in stored]
    versions = current_versions(session, ids)
    topics = topics_by_article(session, ids)
    return tuple(_candidate(entry, versions.get(entry.id), topics.get(entry.id, ())) for entry in stored)


def candidates_by_id(session: Session, ids: Collection[ArticleId]) -> dict[ArticleId, Candidate]:
    """Return these articles with their takeaways and topics, whichever days they are of."""
    stored = articles_by_id(session, ids).values()
    there = [one.id for one in stored]
    versions = current_versions(session, there)
    topics = topics_by_article(session, there)
    return {one.id: _candidate(one, versions.get(one.id), topics.get(one.id, ())) for one in stored}


def _candidate(
    stored: StoredArticle, version: Condensing | None, topics: tuple[TopicMatch, ...]
) -> Candidate:
    if version is None:
        return Candidate(stored, (), "", topics)
    told = version.condensed
    return Candidate(stored, told.takeaways, told.why_none or "", topics, is_edited=bool(version.made_by))


def topics_by_article(session: Session, ids: Collection[ArticleId]) -> dict[int, tuple[TopicMatch, ...]]:
    """Return the topics of these articles, in falling score; those of none are missing."""
    wanted = sorted(ids)
    found: dict[int, tuple[TopicMatch, ...]] = {}
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        rows = session.execute(
            select(ArticleTopicRow.article_id, TopicRow.slug, ArticleTopicRow.score, ArticleTopicRow.reason)
            .join(TopicRow, TopicRow.id == ArticleTopicRow.topic_id)
            .where(ArticleTopicRow.article_id.in_(wanted[start : start + KEYS_AT_ONCE]))
            .order_by(ArticleTopicRow.article_id, ArticleTopicRow.score.desc(), TopicRow.position)
        )
        for article_id, slug, score, reason in rows:
            match = TopicMatch(TopicSlug(slug), score, reason)
            found[article_id] = (*found.get(article_id, ()), match)
    return found
