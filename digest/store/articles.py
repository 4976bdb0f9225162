"""Articles, where they were seen, and what condense made of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import (
    Article,
    Block,
    BlockKind,
    Condensed,
    DateOrigin,
    Image,
    Origin,
    Span,
    Takeaway,
    TextOrigin,
)
from digest.domain.newsletters import NewsletterId, SourceId
from digest.domain.times import Window
from digest.domain.topics import TopicMatch, TopicSlug
from digest.store.base import Base, Json
from digest.store.newsletters import TopicRow
from digest.store.sources import SourceRow

ArticleId = NewType("ArticleId", int)


class ArticleRow(Base):
    """One canonical URL as a newsletter gathered it.

    `condensed_hash` is the content hash that takeaways and topics were made from: None, or another than
    `content_hash`, means that condense has work to do. `story_id` names the article that stands for a story.
    """

    __tablename__ = "articles"
    __table_args__ = (
        UniqueConstraint("newsletter_id", "url"),
        Index(None, "newsletter_id", "published_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(String(2048))
    title: Mapped[str] = mapped_column(Text)
    blocks: Mapped[list[list[str]]] = mapped_column(Json)
    language: Mapped[str | None] = mapped_column(String(16))
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(16))
    byline: Mapped[str | None] = mapped_column(Text)
    site_name: Mapped[str | None] = mapped_column(Text)
    image_url: Mapped[str | None] = mapped_column(Text)
    image_alt: Mapped[str] = mapped_column(Text)
    text_origin: Mapped[str] = mapped_column(String(16))
    categories: Mapped[list[str]] = mapped_column(Json)
    word_count: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    condensed_hash: Mapped[str | None] = mapped_column(String(64))
    why_none: Mapped[str] = mapped_column(Text)
    first_seen_at: Mapped[datetime]
    story_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id", ondelete="SET NULL"))


class SightingRow(Base):
    """A source listed an article."""

    __tablename__ = "sightings"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    source_id: Mapped[int] = mapped_column(
        ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    seen_at: Mapped[datetime]


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
class StoredArticle:
    """An article with its id, when it was first seen, and the names of the sources that listed it."""

    id: ArticleId
    article: Article
    first_seen_at: datetime
    sources: tuple[str, ...]
    story_id: ArticleId | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that may stand in an issue, with all that condense found."""

    stored: StoredArticle
    takeaways: tuple[Takeaway, ...]
    why_none: str
    topics: tuple[TopicMatch, ...]


def content_hash(article: Article) -> str:
    """Return the SHA-256 of what a reader would read: title and blocks."""
    told = [article.title, [[block.kind, block.text] for block in article.blocks]]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def known_urls(session: Session, newsletter_id: NewsletterId, urls: Iterable[str]) -> frozenset[str]:
    """Return those of `urls` that the newsletter has an article for."""
    rows = session.scalars(
        select(ArticleRow.url).where(
            ArticleRow.newsletter_id == newsletter_id, ArticleRow.url.in_(list(urls))
        )
    )
    return frozenset(rows)


def record_article(
    session: Session, newsletter_id: NewsletterId, source_id: SourceId, article: Article, *, now: datetime
) -> bool:
    """Store `article` as listed by a source; return whether it was new.

    A known URL with other words becomes the article's new text; its day of publication stays, so a feed
    that republishes everything with new dates brings nothing back.
    """
    known = select(ArticleRow).where(ArticleRow.newsletter_id == newsletter_id, ArticleRow.url == article.url)
    row = session.scalar(known)
    is_new = row is None and _is_added(session, _new_row(newsletter_id, article, now))
    if not is_new:
        row = row or session.scalars(known).one()
        _write_content(row, article)
        session.flush()
    record_sighting(session, newsletter_id, source_id, article.url, now=now)
    return is_new


def _new_row(newsletter_id: NewsletterId, article: Article, now: datetime) -> ArticleRow:
    row = ArticleRow(
        newsletter_id=newsletter_id,
        url=article.url,
        published_at=article.published_at or now,
        published_by=article.published_by if article.published_at else DateOrigin.FIRST_SEEN,
        why_none="",
        first_seen_at=now,
    )
    _write_content(row, article)
    return row


def _is_added(session: Session, row: ArticleRow | SightingRow) -> bool:
    """Insert a row, or return False when another has just done so: two sources may list one article."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def _write_content(row: ArticleRow, article: Article) -> None:
    row.title = article.title
    row.blocks = [[block.kind.value, block.text] for block in article.blocks]
    row.language = article.language
    row.byline = article.byline
    row.site_name = article.site_name
    row.image_url = article.image.url if article.image else None
    row.image_alt = article.image.alt if article.image else ""
    row.text_origin = article.text_origin
    row.categories = list(article.categories)
    row.word_count = article.word_count
    row.content_hash = content_hash(article)


def record_sighting(
    session: Session, newsletter_id: NewsletterId, source_id: SourceId, url: str, *, now: datetime
) -> None:
    """Remember that a source lists the article at `url`, which the newsletter has.

    The article is condensed anew when that is news: all articles of a source may belong to a topic.
    """
    article_id = session.scalar(
        select(ArticleRow.id).where(ArticleRow.newsletter_id == newsletter_id, ArticleRow.url == url)
    )
    if article_id is None or session.get(SightingRow, (article_id, source_id)) is not None:
        return
    if _is_added(session, SightingRow(article_id=article_id, source_id=source_id, seen_at=now)):
        session.execute(update(ArticleRow).where(ArticleRow.id == article_id).values(condensed_hash=None))


def articles_in(session: Session, newsletter_id: NewsletterId, window: Window) -> tuple[StoredArticle, ...]:
    """Return the newsletter's articles published within `window`, newest first, then by URL."""
    rows = session.scalars(
        select(ArticleRow).where(
            ArticleRow.newsletter_id == newsletter_id,
            ArticleRow.published_at >= window.start,
            ArticleRow.published_at < window.end,
        )
    ).all()
    # Sorted here: databases do not agree on the order of texts.
    by_url = sorted(rows, key=lambda row: row.url)
    return _stored(session, sorted(by_url, key=lambda row: row.published_at, reverse=True))


def uncondensed_articles(session: Session, newsletter_id: NewsletterId) -> tuple[StoredArticle, ...]:
    """Return the articles whose takeaways are missing or were made from an older text, oldest first."""
    rows = session.scalars(
        select(ArticleRow)
        .where(
            ArticleRow.newsletter_id == newsletter_id,
            or_(ArticleRow.condensed_hash.is_(None), ArticleRow.condensed_hash != ArticleRow.content_hash),
        )
        .order_by(ArticleRow.id)
    ).all()
    return _stored(session, rows)


def forget_condensed(session: Session, newsletter_id: NewsletterId, *, since: datetime) -> int:
    """Mark the articles published since then as not condensed; return how many."""
    result = session.connection().execute(
        update(ArticleRow)
        .where(ArticleRow.newsletter_id == newsletter_id, ArticleRow.published_at >= since)
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


def record_stories(session: Session, stories: Iterable[Sequence[ArticleId]]) -> None:
    """Tie the articles of each story to its first, and untie those that stand alone."""
    for story in stories:
        told_by = story[0] if len(story) > 1 else None
        session.execute(update(ArticleRow).where(ArticleRow.id.in_(list(story))).values(story_id=told_by))


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


def count_articles(session: Session, newsletter_id: NewsletterId) -> int:
    """Return how many articles the newsletter has."""
    return session.scalar(select(func.count()).where(ArticleRow.newsletter_id == newsletter_id)) or 0


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


def _stored(session: Session, rows: Sequence[ArticleRow]) -> tuple[StoredArticle, ...]:
    names: dict[int, tuple[str, ...]] = {}
    listed = session.execute(
        select(SightingRow.article_id, SourceRow.name)
        .join(SourceRow, SourceRow.id == SightingRow.source_id)
        .where(SightingRow.article_id.in_([row.id for row in rows]))
        .order_by(SightingRow.article_id, SightingRow.seen_at, SourceRow.id)
    )
    for article_id, name in listed:
        names[article_id] = (*names.get(article_id, ()), name)
    return tuple(
        StoredArticle(
            id=ArticleId(row.id),
            article=_article(row),
            first_seen_at=row.first_seen_at,
            sources=names.get(row.id, ()),
            story_id=None if row.story_id is None else ArticleId(row.story_id),
        )
        for row in rows
    )


def _article(row: ArticleRow) -> Article:
    return Article(
        url=row.url,
        title=row.title,
        blocks=tuple(Block(BlockKind(kind), text) for kind, text in row.blocks),
        language=row.language,
        published_at=row.published_at,
        published_by=DateOrigin(row.published_by),
        byline=row.byline,
        site_name=row.site_name,
        image=Image(row.image_url, row.image_alt) if row.image_url else None,
        text_origin=TextOrigin(row.text_origin),
        categories=tuple(row.categories),
    )
