"""What readers said of articles they were sent: one word of each reader on each article."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, case, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.feedback import Feedback
from digest.domain.issues import IssueId
from digest.domain.less import source_key
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.base import Base, storable
from digest.store.database import insert_or_replace


class FeedbackRow(Base):
    """A reader said whether an article was useful to them. `source` is its `source_key`."""

    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_newsletter_id_at", "newsletter_id", "at"),)

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(200))
    is_useful: Mapped[bool]
    at: Mapped[datetime]


def record_feedback(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    issue_id: IssueId,
    position: int,
    source: str,
    is_useful: bool,
    now: datetime,
) -> None:
    """Keep what a reader says of an article, in place of what they said before."""
    row = {
        "issue_id": issue_id,
        "position": position,
        "subscriber_id": subscriber_id,
        "newsletter_id": newsletter_id,
        "source": storable(source_key(source)),
        "is_useful": is_useful,
        "at": now,
    }
    insert_or_replace(session, FeedbackRow, row)


def withdraw_feedback(
    session: Session, subscriber_id: SubscriberId, *, issue_id: IssueId, position: int
) -> None:
    """Forget what a reader said of an article."""
    session.execute(
        delete(FeedbackRow)
        .where(
            FeedbackRow.issue_id == issue_id,
            FeedbackRow.position == position,
            FeedbackRow.subscriber_id == subscriber_id,
        )
        .execution_options(synchronize_session=False)
    )


def find_feedback(
    session: Session, subscriber_id: SubscriberId, *, issue_id: IssueId, position: int
) -> bool | None:
    """Return whether a reader said that an article was useful; None: they said nothing."""
    return session.scalar(
        select(FeedbackRow.is_useful).where(
            FeedbackRow.issue_id == issue_id,
            FeedbackRow.position == position,
            FeedbackRow.subscriber_id == subscriber_id,
        )
    )


_USEFUL = func.sum(case((FeedbackRow.is_useful, 1), else_=0))


def feedback_on(session: Session, issue_id: IssueId) -> Mapping[int, Feedback]:
    """Return what readers said of the articles of an issue, by position; of the others nothing was said."""
    rows = session.execute(
        select(FeedbackRow.position, _USEFUL, func.count())
        .where(FeedbackRow.issue_id == issue_id)
        .group_by(FeedbackRow.position)
        .order_by(FeedbackRow.position)
    )
    return {position: Feedback(int(useful), said - int(useful)) for position, useful, said in rows}


def feedback_by_source(
    session: Session, newsletter_id: NewsletterId, *, since: datetime
) -> Mapping[str, Feedback]:
    """Return what readers said since then of a newsletter's articles, by the `source_key` of their source.

    Readers are counted, and not what they said: whoever judged many articles of a source counts once, as most
    of their answers go. Who said as often one as the other counts for neither.
    """
    leaning = func.sum(case((FeedbackRow.is_useful, 1), else_=-1))
    readers = (
        select(FeedbackRow.source, leaning.label("leaning"))
        .where(FeedbackRow.newsletter_id == newsletter_id, FeedbackRow.at >= since)
        .group_by(FeedbackRow.source, FeedbackRow.subscriber_id)
        .subquery()
    )
    useful, not_useful = (
        func.sum(case((one, 1), else_=0)) for one in (readers.c.leaning > 0, readers.c.leaning < 0)
    )
    rows = session.execute(select(readers.c.source, useful, not_useful).group_by(readers.c.source))
    return {source: Feedback(int(well), int(badly)) for source, well, badly in rows}
