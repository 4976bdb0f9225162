"""What a mail tells of articles, read without their texts: those are a hundred times as long."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from digest.domain.articles import Image
from digest.domain.newsletters import NewsletterId
from digest.domain.times import Window
from digest.domain.topics import TopicMatch
from digest.store.articles import KEYS_AT_ONCE, ArticleId, ArticleRow, SightingRow
from digest.store.condensed import topics_by_article
from digest.store.condensings import CondensingRow, TakeawayRow
from digest.store.sources import SourceRow


@dataclass(frozen=True, slots=True)
class Excerpt:
    """An article as a mail tells of it: a `Candidate` without its text and without what supports takeaways.

    `source` is the name of where it is from, as readers see it. `topics` are in falling score. An editor's
    takeaways (`is_edited`) are as many as the editor wants.
    """

    id: ArticleId
    url: str
    title: str
    source: str
    published_at: datetime
    word_count: int
    language: str | None
    image: Image | None
    takeaways: tuple[str, ...]
    topics: tuple[TopicMatch, ...]
    is_edited: bool


def excerpts_in(
    session: Session, newsletter_id: NewsletterId, window: Window, ids: Collection[ArticleId]
) -> dict[ArticleId, Excerpt]:
    """Return those of these articles that are the newsletter's and count for `window`, or for days before it.

    Which of the earlier ones an issue may hold was decided when it was filled: see `latecomers`.
    """
    wanted = sorted(ids)
    found: dict[ArticleId, Excerpt] = {}
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        some = wanted[start : start + KEYS_AT_ONCE]
        found |= {one.id: one for one in _excerpts(session, newsletter_id, window, some)}
    return found


def source_name(*, first: str | None, site_name: str | None, url: str) -> str:
    """Return the name of where an article is from: the source that listed it first, else its site's own."""
    return first if first is not None else site_name or urlsplit(url).netloc


def _excerpts(
    session: Session, newsletter_id: NewsletterId, window: Window, ids: list[ArticleId]
) -> Iterator[Excerpt]:
    sources, takeaways = _first_sources(session, ids), _takeaways(session, ids)
    topics = topics_by_article(session, ids)
    for row in session.execute(_told(newsletter_id, window, ids)):
        id_, url, title, site_name, published_at, words, language, image_url, image_alt, made_by = row
        yield Excerpt(
            id=ArticleId(id_),
            url=url,
            title=title,
            source=source_name(first=sources.get(id_), site_name=site_name, url=url),
            published_at=published_at,
            word_count=words,
            language=language,
            image=Image(image_url, image_alt) if image_url else None,
            takeaways=tuple(takeaways.get(id_, ())),
            topics=topics.get(id_, ()),
            is_edited=bool(made_by),
        )


def _told(
    newsletter_id: NewsletterId, window: Window, ids: list[ArticleId]
) -> Select[int, str, str, str | None, datetime, int, str | None, str | None, str, str]:
    holds = and_(
        CondensingRow.article_id == ArticleRow.id, CondensingRow.version == ArticleRow.takeaways_version
    )
    return (
        select(
            ArticleRow.id,
            ArticleRow.url,
            ArticleRow.title,
            ArticleRow.site_name,
            ArticleRow.published_at,
            ArticleRow.word_count,
            ArticleRow.language,
            ArticleRow.image_url,
            ArticleRow.image_alt,
            CondensingRow.made_by,
        )
        .outerjoin(CondensingRow, holds)
        .where(
            ArticleRow.id.in_(ids),
            ArticleRow.newsletter_id == newsletter_id,
            ArticleRow.counted_at < window.end,
        )
    )


def _first_sources(session: Session, ids: list[ArticleId]) -> dict[int, str]:
    rows = session.execute(
        select(SightingRow.article_id, SourceRow.name)
        .join(SourceRow, SourceRow.id == SightingRow.source_id)
        .where(SightingRow.article_id.in_(ids))
        .order_by(SightingRow.article_id, SightingRow.seen_at.desc(), SourceRow.id.desc())
    )
    # Of each article the last one stays: the first that listed it.
    return dict(rows.all())


def _takeaways(session: Session, ids: list[ArticleId]) -> dict[int, list[str]]:
    """Return the takeaways that hold, in order."""
    found: dict[int, list[str]] = {}
    holds = and_(ArticleRow.id == TakeawayRow.article_id, ArticleRow.takeaways_version == TakeawayRow.version)
    rows = session.execute(
        select(TakeawayRow.article_id, TakeawayRow.text)
        .join(ArticleRow, holds)
        .where(TakeawayRow.article_id.in_(ids))
        .order_by(TakeawayRow.article_id, TakeawayRow.position)
    )
    for article_id, text in rows:
        found.setdefault(article_id, []).append(text)
    return found
