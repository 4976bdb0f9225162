"""What editors decided of articles and topics, and the topics of an article written down anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.newsletters import NewsletterId
from digest.domain.topics import TopicMatch, TopicSlug, Verdict
from digest.store.articles import KEYS_AT_ONCE, ArticleId, ArticleRow
from digest.store.base import Base
from digest.store.condensed import ArticleTopicRow
from digest.store.decisions import Decision, Word, record_decision
from digest.store.newsletters import TopicRow


class VerdictRow(Base):
    """An editor's word on whether an article belongs to a topic: the last one counts."""

    __tablename__ = "verdicts"

    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(
        ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    is_yes: Mapped[bool]
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


def record_verdicts(
    session: Session,
    article_id: ArticleId,
    verdicts: Collection[Verdict],
    *,
    topic_ids: Mapping[TopicSlug, int],
    now: datetime,
) -> None:
    """Write down what an editor says of an article; what was said of the same topics before is replaced.

    The record of decisions keeps both. Who says the same again decides nothing.
    """
    said = set(verdicts_on(session, [article_id]).get(article_id, ()))
    new = [one for one in verdicts if one not in said]
    _forget(session, article_id, [topic_ids[one.slug] for one in new])
    for one in new:
        session.add(
            VerdictRow(
                article_id=article_id, topic_id=topic_ids[one.slug], is_yes=one.is_yes, by=one.by, at=now
            )
        )
        word = Word.YES if one.is_yes else Word.NO
        record_decision(session, Decision(article_id, one.slug, None, word, one.by, now))
    session.flush()


def withdraw_verdicts(
    session: Session,
    article_id: ArticleId,
    slugs: Collection[TopicSlug],
    *,
    topic_ids: Mapping[TopicSlug, int],
    by: str,
    now: datetime,
) -> None:
    """Forget what editors said of an article and these topics: the rules decide again.

    That it was said, and who took it back, the record of decisions keeps.
    """
    said = {one.slug for one in verdicts_on(session, [article_id]).get(article_id, ())}
    _forget(session, article_id, [topic_ids[slug] for slug in slugs])
    for slug in slugs:
        if slug in said:
            record_decision(session, Decision(article_id, slug, None, Word.UNDO, by, now))
    session.flush()


def _forget(session: Session, article_id: ArticleId, topics: Collection[int]) -> None:
    session.execute(
        delete(VerdictRow).where(VerdictRow.article_id == article_id, VerdictRow.topic_id.in_(topics))
    )


def verdicts_on(session: Session, ids: Sequence[ArticleId]) -> dict[ArticleId, tuple[Verdict, ...]]:
    """Return what editors said of these articles, oldest word first; none for most."""
    found: dict[ArticleId, tuple[Verdict, ...]] = {}
    for start in range(0, len(ids), KEYS_AT_ONCE):
        rows = session.execute(
            select(VerdictRow.article_id, TopicRow.slug, VerdictRow.is_yes, VerdictRow.by)
            .join(TopicRow, TopicRow.id == VerdictRow.topic_id)
            .where(VerdictRow.article_id.in_(ids[start : start + KEYS_AT_ONCE]))
            .order_by(VerdictRow.article_id, VerdictRow.at, TopicRow.position)
        )
        for article_id, slug, is_yes, by in rows:
            one = ArticleId(article_id)
            found[one] = (*found.get(one, ()), Verdict(TopicSlug(slug), is_yes, by))
    return found


def judged_articles(session: Session, newsletter_id: NewsletterId) -> tuple[ArticleId, ...]:
    """Return the newsletter's articles of which editors said anything, oldest article first."""
    rows = session.scalars(
        select(VerdictRow.article_id)
        .join(TopicRow, TopicRow.id == VerdictRow.topic_id)
        .where(TopicRow.newsletter_id == newsletter_id)
        .distinct()
        .order_by(VerdictRow.article_id)
    )
    return tuple(map(ArticleId, rows))


def condensed_since(
    session: Session, newsletter_id: NewsletterId, *, since: datetime
) -> tuple[ArticleId, ...]:
    """Return the newsletter's articles that count from `since` on and were ever condensed, oldest first.

    Those that are to be condensed anew, as after a change of their source, are among them.
    """
    rows = session.scalars(
        select(ArticleRow.id)
        .where(
            ArticleRow.newsletter_id == newsletter_id,
            ArticleRow.counted_at >= since,
            ArticleRow.takeaways_version.is_not(None),
        )
        .order_by(ArticleRow.counted_at, ArticleRow.id)
    )
    return tuple(map(ArticleId, rows))


def replace_topics(
    session: Session,
    article_id: ArticleId,
    matches: Collection[TopicMatch],
    *,
    topic_ids: Mapping[TopicSlug, int],
) -> None:
    """Let an article belong to exactly these topics."""
    session.execute(delete(ArticleTopicRow).where(ArticleTopicRow.article_id == article_id))
    session.add_all(
        ArticleTopicRow(
            article_id=article_id, topic_id=topic_ids[match.slug], score=match.score, reason=match.reason
        )
        for match in matches
    )
    session.flush()
