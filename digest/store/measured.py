"""Who agreed that it is measured what they open and follow in a newsletter's mail. Most have no row here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.base import Base
from digest.store.database import insert_or_ignore


class MeasuredReaderRow(Base):
    """A reader who agreed to be measured, and has not taken it back. Its wording stands in `consents`."""

    __tablename__ = "measured_readers"

    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[datetime]


def agree_to_measure(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> bool:
    """Let a reader be measured from now on; return whether that is new."""
    row = {"newsletter_id": newsletter_id, "subscriber_id": subscriber_id, "since": now}
    added = insert_or_ignore(session, MeasuredReaderRow, [row]).returning(MeasuredReaderRow.subscriber_id)
    return session.scalar(added) is not None


def cease_to_measure(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> bool:
    """Let a reader be measured no more; return whether they were."""
    gone = (
        delete(MeasuredReaderRow)
        .where(
            MeasuredReaderRow.newsletter_id == newsletter_id,
            MeasuredReaderRow.subscriber_id == subscriber_id,
        )
        .returning(MeasuredReaderRow.subscriber_id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(gone) is not None


def measured_since(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> datetime | None:
    """Return since when a reader lets themselves be measured, None for who does not."""
    return session.scalar(
        select(MeasuredReaderRow.since).where(
            MeasuredReaderRow.newsletter_id == newsletter_id,
            MeasuredReaderRow.subscriber_id == subscriber_id,
        )
    )
