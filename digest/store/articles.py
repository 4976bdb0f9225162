"""Articles: their texts, the addresses they were met under, and the sources that list them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from sqlalchemy import (
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    and_,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import (
    BLOCK_SEPARATOR,
    Article,
    Block,
    BlockKind,
    DateOrigin,
    Image,
    TextOrigin,
)
from digest.domain.newsletters import NewsletterId
from digest.domain.sources import SourceId
from digest.domain.times import Window
from digest.domain.topics import TopicSlug
from digest.store.base import Base, Json
from digest.store.sources import SourceRow

ArticleId = NewType("ArticleId", int)

KEYS_AT_ONCE = 500


class ArticleRow(Base):
    """One canonical URL as a newsletter gathered it.

    `revision` counts the texts it has had, and `read_at` is when this one was read. `counted_at` decides
    which window it belongs to: the day of publication, but for an older one that an editor added by hand.
    `given_topics` are the editor's. `condensed_hash` is the content hash that takeaways and topics were made
    from: None, or another than `content_hash`, means that condense has work to do. `takeaways_version` is the
    version of its takeaways that holds, None before there was any. `story_id` names the
    article that stands for a story, `copies_id` the one whose text this is.
    """

    __tablename__ = "articles"
    __table_args__ = (
        UniqueConstraint("newsletter_id", "url"),
        Index(None, "newsletter_id", "counted_at"),
        Index("ix_articles_newsletter_id_content_hash", "newsletter_id", "content_hash"),
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
    takeaways_version: Mapped[int | None]
    first_seen_at: Mapped[datetime]
    counted_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text, default="")
    is_partial: Mapped[bool] = mapped_column(default=False)
    reservation: Mapped[str] = mapped_column(Text, default="")
    revision: Mapped[int] = mapped_column(default=1)
    read_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200), default="")
    given_topics: Mapped[list[str]] = mapped_column(Json, default=list)
    story_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id", ondelete="SET NULL"))
    copies_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id", ondelete="SET NULL"))


class ArticleUrlRow(Base):
    """An address under which an article was met: the feed's link, where it redirects, its canonical one."""

    __tablename__ = "article_urls"

    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(2048), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), index=True)


class RevisionRow(Base):
    """A text that an article had before its publisher changed it: takeaways already mailed quote it."""

    __tablename__ = "article_revisions"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    blocks: Mapped[list[list[str]]] = mapped_column(Json)
    content_hash: Mapped[str] = mapped_column(String(64))
    read_at: Mapped[datetime]


class SightingRow(Base):
    """A source listed an article. `mark` stands for all that it told of it when the article was last read."""

    __tablename__ = "sightings"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    source_id: Mapped[int] = mapped_column(
        ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    seen_at: Mapped[datetime]
    mark: Mapped[str] = mapped_column(String(64), default="")


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article with its id, when it was first seen, and the names of the sources that listed it.

    `given_topics` are those an editor gave it; `revision` counts the texts it has had. `weight` is that of
    the heaviest source that lists it. `copies_id` is the article whose text this is, earlier, elsewhere.
    """

    id: ArticleId
    article: Article
    first_seen_at: datetime
    sources: tuple[str, ...]
    story_id: ArticleId | None
    given_topics: tuple[TopicSlug, ...] = ()
    revision: int = 1
    weight: float = 1.0
    copies_id: ArticleId | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What decides whether a known article is worth another look.

    `mark` is what the asking source told of it when it was last read, None when it never listed it.
    """

    id: ArticleId
    counted_at: datetime
    text_origin: TextOrigin
    read_at: datetime
    mark: str | None


def content_hash(article: Article) -> str:
    """Return the SHA-256 of what a reader would read: title and blocks."""
    told = [article.title, [[block.kind, block.text] for block in article.blocks]]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def known_articles(
    session: Session, newsletter_id: NewsletterId, source_id: SourceId, keys: Collection[str]
) -> dict[str, Known]:
    """Return the articles the newsletter has under those of `keys` it knows."""
    wanted = list(keys)
    found: dict[str, Known] = {}
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        some = wanted[start : start + KEYS_AT_ONCE]
        for key, id_, counted_at, origin, read_at, mark in session.execute(
            _known(newsletter_id, source_id, some)
        ):
            found[key] = Known(ArticleId(id_), counted_at, TextOrigin(origin), read_at, mark)
    return found


def _known(
    newsletter_id: NewsletterId, source_id: SourceId, keys: Collection[str]
) -> Select[str, int, datetime, str, datetime, str]:
    return (
        select(
            ArticleUrlRow.key,
            ArticleRow.id,
            ArticleRow.counted_at,
            ArticleRow.text_origin,
            ArticleRow.read_at,
            SightingRow.mark,
        )
        .join(ArticleRow, ArticleRow.id == ArticleUrlRow.article_id)
        .outerjoin(
            SightingRow, and_(SightingRow.article_id == ArticleRow.id, SightingRow.source_id == source_id)
        )
        .where(ArticleUrlRow.newsletter_id == newsletter_id, ArticleUrlRow.key.in_(keys))
    )


def articles_in(session: Session, newsletter_id: NewsletterId, window: Window) -> tuple[StoredArticle, ...]:
    """Return the newsletter's articles that count for `window`, newest first, then by URL."""
    rows = session.scalars(
        select(ArticleRow).where(
            ArticleRow.newsletter_id == newsletter_id,
            ArticleRow.counted_at >= window.start,
            ArticleRow.counted_at < window.end,
        )
    ).all()
    # Sorted here: databases do not agree on the order of texts.
    by_url = sorted(rows, key=lambda row: row.url)
    return stored_from(session, sorted(by_url, key=lambda row: row.published_at, reverse=True))


def articles_page(
    session: Session, newsletter_id: NewsletterId, *, limit: int, before: int | None = None
) -> tuple[StoredArticle, ...]:
    """Return up to `limit` of the newsletter's articles, the last gathered first: those below `before`."""
    query = select(ArticleRow).where(ArticleRow.newsletter_id == newsletter_id)
    if before is not None:
        query = query.where(ArticleRow.id < before)
    return stored_from(session, session.scalars(query.order_by(ArticleRow.id.desc()).limit(limit)).all())


def articles_by_id(session: Session, ids: Collection[ArticleId]) -> dict[ArticleId | None, StoredArticle]:
    """Return those of the articles `ids` that are there."""
    wanted = sorted(ids)
    rows = [
        row
        for start in range(0, len(wanted), KEYS_AT_ONCE)
        for row in session.scalars(
            select(ArticleRow).where(ArticleRow.id.in_(wanted[start : start + KEYS_AT_ONCE]))
        )
    ]
    return {stored.id: stored for stored in stored_from(session, rows)}


def newsletter_of(session: Session, article_id: ArticleId) -> NewsletterId:
    """Return whose article it is."""
    return NewsletterId(session.get_one(ArticleRow, article_id).newsletter_id)


def find_text(session: Session, article_id: ArticleId, of: str) -> str | None:
    """Return the article's text with the hash `of`: as it is now, or was; None when it is not kept."""
    row = session.get_one(ArticleRow, article_id)
    blocks: list[list[str]] | None = row.blocks
    if row.content_hash != of:
        blocks = session.scalars(
            select(RevisionRow.blocks)
            .where(RevisionRow.article_id == article_id, RevisionRow.content_hash == of)
            .limit(1)
        ).one_or_none()
    return None if blocks is None else BLOCK_SEPARATOR.join(text for _, text in blocks)


def count_articles(session: Session, newsletter_id: NewsletterId) -> int:
    """Return how many articles the newsletter has."""
    return session.scalar(select(func.count()).where(ArticleRow.newsletter_id == newsletter_id)) or 0


def stored_from(session: Session, rows: Sequence[ArticleRow]) -> tuple[StoredArticle, ...]:
    """Return the articles of `rows` in their order, with the sources that listed them."""
    names: dict[int, tuple[str, ...]] = {}
    weights: dict[int, float] = {}
    for article_id, name, weight in session.execute(_listed_by([row.id for row in rows])):
        names[article_id] = (*names.get(article_id, ()), name)
        weights[article_id] = max(weights.get(article_id, weight), weight)
    return tuple(
        StoredArticle(
            id=ArticleId(row.id),
            article=_article(row),
            first_seen_at=row.first_seen_at,
            sources=names.get(row.id, ()),
            story_id=None if row.story_id is None else ArticleId(row.story_id),
            given_topics=tuple(map(TopicSlug, row.given_topics)),
            revision=row.revision,
            weight=weights.get(row.id, 1.0),
            copies_id=None if row.copies_id is None else ArticleId(row.copies_id),
        )
        for row in rows
    )


def _listed_by(ids: Sequence[int]) -> Select[int, str, float]:
    return (
        select(SightingRow.article_id, SourceRow.name, SourceRow.weight)
        .join(SourceRow, SourceRow.id == SightingRow.source_id)
        .where(SightingRow.article_id.in_(ids))
        .order_by(SightingRow.article_id, SightingRow.seen_at, SourceRow.id)
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
        note=row.note,
        is_partial=row.is_partial,
        reservation=row.reservation,
    )
