"""Articles written down: new ones, new words for known ones, who lists them, which tell one story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import Select, literal_column, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from digest.domain.articles import Article, DateOrigin, TextOrigin
from digest.domain.newsletters import NewsletterId
from digest.domain.sources import SourceId
from digest.domain.topics import TopicSlug
from digest.store.articles import (
    KEYS_AT_ONCE,
    ArticleId,
    ArticleRow,
    ArticleUrlRow,
    RevisionRow,
    SightingRow,
    content_hash,
)
from digest.store.base import Base
from digest.store.database import insert_or_ignore

_TELLING_WORDS = 50
"""Two articles of the very same title and text are one from this length on; shorter ones may be by chance."""


class Recorded(StrEnum):
    """What recording an article came to."""

    NEW = "new"
    UPDATED = "updated"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class AddedByHand:
    """An editor's wish for an article: the topics given, who gave them, and when it counts as published."""

    by: str
    topics: tuple[TopicSlug, ...] = ()
    counted_at: datetime | None = None


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
    unless_there = insert_or_ignore(session, row, rows)
    return session.execute(unless_there.returning(literal_column("1"))).first() is not None


def record_stories(
    session: Session,
    stories: Iterable[Sequence[ArticleId]],
    copies: Mapping[ArticleId, ArticleId] = MappingProxyType({}),
) -> None:
    """Tie the articles of each story to its first, and untie those that stand alone.

    `copies` names for those that are another's text whose it is. Where that is news, the article is
    condensed anew: it is used as its original may be. A copy of what is in none of `stories` stays one.
    """
    first = {member: told_by for told_by, members in _stories(stories) for member in members}
    ids = sorted(first.keys() | copies.keys())
    for start in range(0, len(ids), KEYS_AT_ONCE):
        told_by: dict[int | None, list[ArticleId]] = defaultdict(list)
        copied: dict[int | None, list[ArticleId]] = defaultdict(list)
        for held in _held(session, ids[start : start + KEYS_AT_ONCE]):
            if held.id in first and held.story_id != first[held.id]:
                told_by[first[held.id]].append(held.id)
            is_original_told = held.id in first and held.copies_id in first
            original = copies.get(held.id) or (None if is_original_told else held.copies_id)
            if held.copies_id != original:
                copied[original].append(held.id)
        for story, members in told_by.items():
            session.execute(update(ArticleRow).where(ArticleRow.id.in_(members)).values(story_id=story))
        for original, members in copied.items():
            news = {"copies_id": original, "condensed_hash": None}
            session.execute(update(ArticleRow).where(ArticleRow.id.in_(members)).values(news))


class _Held(NamedTuple):
    id: ArticleId
    story_id: int | None
    copies_id: int | None


def _held(session: Session, ids: Sequence[ArticleId]) -> Iterator[_Held]:
    """Return how articles are tied, which nobody else changes before this transaction ends.

    In the order of their ids: two that hold the articles of a newsletter must never wait for each other.
    """
    rows = session.execute(
        select(ArticleRow.id, ArticleRow.story_id, ArticleRow.copies_id)
        .where(ArticleRow.id.in_(ids))
        .order_by(ArticleRow.id)
        .with_for_update(key_share=True)
    ).all()
    return (_Held(ArticleId(id_), story_id, copies_id) for id_, story_id, copies_id in rows)


def _stories(
    stories: Iterable[Sequence[ArticleId]],
) -> Iterator[tuple[ArticleId | None, Sequence[ArticleId]]]:
    """Yield each story's first article with its members, and what stands alone with None."""
    for story in stories:
        yield (story[0] if len(story) > 1 else None), story
