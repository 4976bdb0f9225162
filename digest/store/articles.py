"""Articles: their texts, the addresses they were met under, and the sources that list them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
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
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.articles import (
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

_KEYS_AT_ONCE = 500
_TELLING_WORDS = 50
"""Two articles of the very same title and text are one from this length on; shorter ones may be by chance."""


class ArticleRow(Base):
    """One canonical URL as a newsletter gathered it.

    `revision` counts the texts it has had, and `read_at` is when this one was read. `counted_at` decides
    which window it belongs to: the day of publication, but for an older one that an editor added by hand.
    `given_topics` are the editor's. `condensed_hash` is the content hash that takeaways and topics were made
    from: None, or another than `content_hash`, means that condense has work to do. `story_id` names the
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
    why_none: Mapped[str] = mapped_column(Text)
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


class Recorded(StrEnum):
    """What recording an article came to."""

    NEW = "new"
    UPDATED = "updated"
    KNOWN = "known"


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


@dataclass(frozen=True, slots=True)
class AddedByHand:
    """An editor's wish for an article: the topics given, who gave them, and when it counts as published."""

    by: str
    topics: tuple[TopicSlug, ...] = ()
    counted_at: datetime | None = None


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
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        some = wanted[start : start + _KEYS_AT_ONCE]
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


def record_article(
    session: Session,
    newsletter_id: NewsletterId,
    source_id: SourceId | None,
    article: Article,
    *,
    now: datetime,
    keys: Collection[str] = (),
    mark: str = "",
    by_hand: AddedByHand | None = None,
) -> Recorded:
    """Store `article` as listed by a source, or added by hand; say what that came to.

    It is known when the newsletter has one under its URL or under one of `keys` (other ways to write its
    addresses), or one of the very same words. Other words then become the article's next revision, but the
    feed's words never replace the page's. Its day of publication stays, so a feed that republishes
    everything with new dates brings nothing back.
    """
    addresses = {article.url, *keys}
    row = _find(session, newsletter_id, article, addresses)
    recorded = Recorded.KNOWN
    if row is None:
        row = _new_row(newsletter_id, article, now)
        if _is_added(session, row):
            recorded = Recorded.NEW
        else:
            row = session.scalars(_by_url(newsletter_id, article.url)).one()
    if recorded is Recorded.KNOWN and _is_revised(session, row, article, source_id):
        _write_content(row, article)
        row.read_at, row.revision = now, row.revision + 1
        recorded = Recorded.UPDATED
    if article.text_origin is TextOrigin.PAGE or row.text_origin == TextOrigin.FEED:
        row.read_at, row.note = now, article.note
        _write_terms(row, article)
    if by_hand:
        _give(row, by_hand)
    session.flush()
    _insert_unless_there(
        session,
        ArticleUrlRow,
        *({"newsletter_id": newsletter_id, "key": key, "article_id": row.id} for key in sorted(addresses)),
    )
    if source_id is not None and not _record_sighting(session, row.id, source_id, mark, now=now):
        _remark(session, row.id, source_id, mark)
    return recorded


def _by_url(newsletter_id: NewsletterId, url: str) -> Select[ArticleRow]:
    return select(ArticleRow).where(ArticleRow.newsletter_id == newsletter_id, ArticleRow.url == url)


def _find(
    session: Session, newsletter_id: NewsletterId, article: Article, keys: Collection[str]
) -> ArticleRow | None:
    """Return the row of an article met under one of `keys`, or that says the very same elsewhere."""
    by_key = (
        select(ArticleRow)
        .join(ArticleUrlRow, ArticleUrlRow.article_id == ArticleRow.id)
        .where(ArticleUrlRow.newsletter_id == newsletter_id, ArticleUrlRow.key.in_(sorted(keys)))
        .order_by(ArticleRow.id)
    )
    row = session.scalars(by_key.limit(1)).first()
    if row is not None or article.word_count < _TELLING_WORDS:
        return row
    same_words = (
        select(ArticleRow)
        .where(ArticleRow.newsletter_id == newsletter_id, ArticleRow.content_hash == content_hash(article))
        .order_by(ArticleRow.id)
    )
    return session.scalars(same_words.limit(1)).first()


def _new_row(newsletter_id: NewsletterId, article: Article, now: datetime) -> ArticleRow:
    row = ArticleRow(
        newsletter_id=newsletter_id,
        url=article.url,
        published_at=article.published_at or now,
        published_by=article.published_by if article.published_at else DateOrigin.FIRST_SEEN,
        counted_at=article.published_at or now,
        why_none="",
        first_seen_at=now,
        read_at=now,
    )
    _write_content(row, article)
    return row


def _is_added(session: Session, row: ArticleRow) -> bool:
    """Insert a row, or return False when another has just done so: two sources may list one article."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def _is_revised(session: Session, row: ArticleRow, article: Article, source_id: SourceId | None) -> bool:
    """Whether `article` has other words than the row, and no worse ones; the row's are then kept.

    Another source that lists the article for the first time has a headline of its own for it: no revision.
    """
    is_better = article.text_origin is TextOrigin.PAGE and row.text_origin == TextOrigin.FEED
    is_worse = article.text_origin is TextOrigin.FEED and row.text_origin == TextOrigin.PAGE
    was_listed = source_id is None or session.get(SightingRow, (row.id, source_id)) is not None
    if is_worse or not (was_listed or is_better) or content_hash(article) == row.content_hash:
        return False
    session.add(
        RevisionRow(
            article_id=row.id,
            revision=row.revision,
            title=row.title,
            blocks=row.blocks,
            content_hash=row.content_hash,
            read_at=row.read_at,
        )
    )
    return True


def _give(row: ArticleRow, by_hand: AddedByHand) -> None:
    row.added_by = by_hand.by
    row.given_topics = list(dict.fromkeys((*row.given_topics, *by_hand.topics)))
    row.counted_at = by_hand.counted_at or row.counted_at
    row.condensed_hash = None


def _write_terms(row: ArticleRow, article: Article) -> None:
    """Keep what the page says now of its use: it may say something else of the same words."""
    if (row.reservation, row.is_partial) != (article.reservation, article.is_partial):
        row.reservation, row.is_partial, row.condensed_hash = article.reservation, article.is_partial, None


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
    row.note = article.note
    row.is_partial = article.is_partial
    row.reservation = article.reservation
    row.content_hash = content_hash(article)


def record_sightings(
    session: Session, source_id: SourceId, marks: Mapping[ArticleId, str], *, now: datetime
) -> None:
    """Remember that a source lists these articles for the first time, with what it told of each.

    They are condensed anew: all articles of a source may belong to a topic.
    """
    # In one order, so that two sources that list the same articles never wait for each other.
    for article_id in sorted(marks):
        _record_sighting(session, article_id, source_id, marks[article_id], now=now)


def _record_sighting(
    session: Session, article_id: int, source_id: SourceId, mark: str, *, now: datetime
) -> bool:
    """Note that a source lists an article; False when it did before."""
    columns = {"article_id": article_id, "source_id": source_id, "seen_at": now, "mark": mark}
    is_new = _insert_unless_there(session, SightingRow, columns)
    if is_new:
        session.execute(
            update(ArticleRow)
            .where(ArticleRow.id == article_id, ArticleRow.condensed_hash.is_not(None))
            .values(condensed_hash=None)
        )
    return is_new


def _remark(session: Session, article_id: int, source_id: SourceId, mark: str) -> None:
    session.execute(
        update(SightingRow)
        .where(SightingRow.article_id == article_id, SightingRow.source_id == source_id)
        .values(mark=mark)
    )


def _insert_unless_there(session: Session, row: type[Base], *rows: Mapping[str, object]) -> bool:
    """Insert rows, and say whether any of them was not there before."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    unless_there = insert(row).values([dict(columns) for columns in rows]).on_conflict_do_nothing()
    return session.execute(unless_there.returning(literal_column("1"))).first() is not None


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


def record_stories(
    session: Session,
    stories: Iterable[Sequence[ArticleId]],
    copies: Mapping[ArticleId, ArticleId] = MappingProxyType({}),
) -> None:
    """Tie the articles of each story to its first, and untie those that stand alone.

    `copies` names for those that are another's text whose it is.
    """
    for told_by, members in _stories(stories):
        for start in range(0, len(members), _KEYS_AT_ONCE):
            some = members[start : start + _KEYS_AT_ONCE]
            session.execute(
                update(ArticleRow).where(ArticleRow.id.in_(some)).values(story_id=told_by, copies_id=None)
            )
    for copy, original in copies.items():
        session.execute(update(ArticleRow).where(ArticleRow.id == copy).values(copies_id=original))


def _stories(
    stories: Iterable[Sequence[ArticleId]],
) -> Iterator[tuple[ArticleId | None, Sequence[ArticleId]]]:
    """Yield each story's first article with its members, and last all that stand alone, with None."""
    alone: list[ArticleId] = []
    for story in stories:
        if len(story) > 1:
            yield story[0], story
        else:
            alone += story
    yield None, alone


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
