"""The public archive: which issues of a newsletter everybody may see, and what of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Row, Select, String, exists, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import Edition, IssueContent, IssueId, IssueState, Outline, edition_for
from digest.domain.newsletters import NewsletterId
from digest.domain.topics import TopicSlug
from digest.store.base import Base
from digest.store.contents import ContentRow, IssueTopicRow, content_from_json
from digest.store.issues import IssueRow
from digest.store.newsletters import NewsletterRow

_PUBLIC = (IssueState.SENDING, IssueState.SENT)
"""Not while paused, nor when cancelled: whoever stops a send has found something wrong with the issue."""


class HiddenItemRow(Base):
    """An article that an editor took out of the archive, by its position in the issue."""

    __tablename__ = "hidden_items"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class ArchivedIssue:
    """An issue as the archive has it: what was sent, without the positions in `hidden`.

    `sent_at` is when that began, `content_hash` names the pieces that were sent, wherever they are kept.
    """

    id: IssueId
    number: int
    sent_at: datetime
    content_hash: str
    content: IssueContent
    hidden: frozenset[int] = frozenset()

    def edition(self, follows: Collection[TopicSlug] = ()) -> Edition:
        """Return what a reader of these topics sees of it, of all for none; it may be empty."""
        everything = self.content.outline
        shown = tuple(
            () if position in self.hidden else topics for position, topics in enumerate(everything.items)
        )
        return edition_for(Outline(everything.topics, shown), follows or everything.topics)


@dataclass(frozen=True, slots=True)
class TopicCount:
    """A topic in an archive: the name it last had there, in how many issues, and the newest one's number."""

    slug: TopicSlug
    name: str
    issues: int
    newest: int


def list_archived(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    topics: Collection[TopicSlug] = (),
    before: int | None = None,
    after: int | None = None,
    limit: int,
) -> tuple[ArchivedIssue, ...]:
    """Return public issues, newest first: the first `limit` before a number, or the last ones after it.

    With `topics` only those with an article of one of them. Pages by number cost the same everywhere in an
    archive of 10,000 issues.
    """
    query = _between(_public(newsletter_id, topics), before, after)
    order = IssueRow.number.desc() if after is None else IssueRow.number
    rows = session.execute(query.order_by(order).limit(limit)).all()
    return _archived(session, rows if after is None else rows[::-1])


def has_archived(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    topics: Collection[TopicSlug] = (),
    before: int | None = None,
    after: int | None = None,
) -> bool:
    """Return whether `list_archived` would return anything."""
    query = _between(_public(newsletter_id, topics), before, after)
    return bool(session.scalar(select(query.exists())))


def find_archived(session: Session, newsletter_id: NewsletterId, number: int) -> ArchivedIssue | None:
    """Return the public issue of this number, or None."""
    rows = session.execute(_public(newsletter_id).where(IssueRow.number == number)).all()
    return next(iter(_archived(session, rows)), None)


def find_neighbours(
    session: Session, newsletter_id: NewsletterId, number: int
) -> tuple[int | None, int | None]:
    """Return the numbers of the public issues before and after this one, None where there is none."""
    numbers = select(IssueRow.number).where(*_is_public(newsletter_id), _has_content())
    earlier = numbers.where(IssueRow.number < number).order_by(IssueRow.number.desc()).limit(1)
    later = numbers.where(IssueRow.number > number).order_by(IssueRow.number).limit(1)
    return session.scalar(earlier), session.scalar(later)


def count_topics(session: Session, newsletter_id: NewsletterId) -> Mapping[TopicSlug, TopicCount]:
    """Return every topic that public issues have articles of, also those the newsletter dropped since."""
    rows = session.execute(
        select(IssueTopicRow.slug, func.count(), func.max(IssueRow.number))
        .join(IssueRow, IssueRow.id == IssueTopicRow.issue_id)
        .where(*_is_public(newsletter_id))
        .group_by(IssueTopicRow.slug)
        .order_by(IssueTopicRow.slug)
    ).all()
    names = _names(session, newsletter_id, {newest for _, _, newest in rows})
    return {
        TopicSlug(slug): TopicCount(TopicSlug(slug), names[slug, newest], issues, newest or 0)
        for slug, issues, newest in rows
    }


def known_topics(
    session: Session, newsletter_id: NewsletterId, slugs: Collection[str]
) -> Mapping[TopicSlug, str]:
    """Return which of `slugs` public issues have articles of, each with a name it had there."""
    rows = session.execute(
        select(IssueTopicRow.slug, func.min(IssueTopicRow.name))
        .join(IssueRow, IssueRow.id == IssueTopicRow.issue_id)
        .where(*_is_public(newsletter_id), IssueTopicRow.slug.in_(slugs))
        .group_by(IssueTopicRow.slug)
    )
    return {TopicSlug(slug): name for slug, name in rows}


def hidden_positions(session: Session, issue_id: int) -> frozenset[int]:
    """Return which articles of an issue the archive does not show."""
    return frozenset(
        session.scalars(select(HiddenItemRow.position).where(HiddenItemRow.issue_id == issue_id))
    )


def archive_changed_at(session: Session, newsletter_id: NewsletterId) -> datetime:
    """Return when an editor last changed what the archive shows; the newsletter's beginning if nobody did."""
    changed = func.coalesce(NewsletterRow.archive_changed_at, NewsletterRow.created_at)
    return session.scalars(select(changed.label("changed_at")).where(NewsletterRow.id == newsletter_id)).one()


def _is_public(newsletter_id: NewsletterId) -> tuple[ColumnElement[bool], ...]:
    return (
        IssueRow.newsletter_id == newsletter_id,
        IssueRow.number.is_not(None),
        IssueRow.state.in_(_PUBLIC),
        IssueRow.hidden_at.is_(None),
    )


def _has_content() -> ColumnElement[bool]:
    return exists().where(ContentRow.issue_id == IssueRow.id)


Found = Select[int, int | None, datetime | None, str, str]


def _public(newsletter_id: NewsletterId, topics: Collection[TopicSlug] = ()) -> Found:
    query = (
        select(IssueRow.id, IssueRow.number, IssueRow.sending_at, IssueRow.content_hash, ContentRow.told)
        .join(ContentRow, ContentRow.issue_id == IssueRow.id)
        .where(*_is_public(newsletter_id))
    )
    if topics:
        of_one = exists().where(IssueTopicRow.issue_id == IssueRow.id, IssueTopicRow.slug.in_(topics))
        query = query.where(of_one)
    return query


def _between(query: Found, before: int | None, after: int | None) -> Found:
    if before is not None:
        query = query.where(IssueRow.number < before)
    if after is not None:
        query = query.where(IssueRow.number > after)
    return query


def _archived(
    session: Session, rows: Sequence[Row[int, int | None, datetime | None, str, str]]
) -> tuple[ArchivedIssue, ...]:
    hidden: dict[int, set[int]] = {}
    taken_out = select(HiddenItemRow.issue_id, HiddenItemRow.position)
    for issue_id, position in session.execute(
        taken_out.where(HiddenItemRow.issue_id.in_([row.id for row in rows]))
    ):
        hidden.setdefault(issue_id, set()).add(position)
    return tuple(
        ArchivedIssue(
            IssueId(issue_id),
            number,
            sent_at,
            content_hash,
            content_from_json(told),
            frozenset(hidden.get(issue_id, ())),
        )
        for issue_id, number, sent_at, content_hash, told in rows
        if number is not None and sent_at is not None
    )


def _names(
    session: Session, newsletter_id: NewsletterId, numbers: Collection[int | None]
) -> Mapping[tuple[str, int | None], str]:
    rows = session.execute(
        select(IssueTopicRow.slug, IssueRow.number, IssueTopicRow.name)
        .join(IssueRow, IssueRow.id == IssueTopicRow.issue_id)
        .where(IssueRow.newsletter_id == newsletter_id, IssueRow.number.in_(numbers))
    )
    return {(slug, number): name for slug, number, name in rows}
