"""What was asked for in somebody's name, until whose address it is confirms it: then it is done, once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, delete, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.cadences import Cadence
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import Asked, Wishes
from digest.domain.subscribers import SubscriberId
from digest.domain.topics import TopicSlug
from digest.store.base import Base, storable
from digest.store.bulk import as_stored, insert_rows


class AskRow(Base):
    """What is wanted of a newsletter, and not confirmed yet. `topics` have commas between.

    It stands beside the subscription: whatever a stranger types, what is there stays as it is.
    """

    __tablename__ = "asks"

    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    topics: Mapped[str] = mapped_column(Text)
    cadence: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(index=True)
    may_measure: Mapped[bool] = mapped_column(default=False, server_default=false())


def put_asks(
    session: Session, newsletter_id: NewsletterId, asks: Mapping[SubscriberId, Wishes], *, now: datetime
) -> None:
    """Keep what these want until they confirm it, in place of what they wanted before."""
    before = delete(AskRow).where(AskRow.newsletter_id == newsletter_id, AskRow.subscriber_id.in_(asks))
    session.execute(before.execution_options(synchronize_session=False))
    columns = ("newsletter_id", "subscriber_id", "topics", "cadence", "language", "name", "at", "may_measure")
    at = as_stored(session, now)
    insert_rows(
        session,
        AskRow,
        columns,
        [
            (
                newsletter_id,
                subscriber_id,
                ",".join(sorted(wishes.topics)),
                wishes.cadence.value if wishes.cadence else "",
                wishes.language,
                storable(wishes.name)[:200],
                at,
                wishes.may_measure,
            )
            for subscriber_id, wishes in sorted(asks.items())
        ],
    )


def who_asked(
    session: Session, newsletter_id: NewsletterId, ids: Collection[SubscriberId]
) -> frozenset[SubscriberId]:
    """Return which of these wait for their confirmation."""
    found = select(AskRow.subscriber_id).where(
        AskRow.newsletter_id == newsletter_id, AskRow.subscriber_id.in_(ids)
    )
    return frozenset(map(SubscriberId, session.scalars(found)))


def find_ask(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> Asked | None:
    """Return what waits for a confirmation, None where nothing does."""
    row = session.get(AskRow, (newsletter_id, subscriber_id), populate_existing=True)
    return None if row is None else _asked(row)


def take_ask(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> Asked | None:
    """Take what waits for a confirmation, so that nobody takes it again; None where nothing does."""
    row = session.scalar(
        delete(AskRow)
        .where(AskRow.newsletter_id == newsletter_id, AskRow.subscriber_id == subscriber_id)
        .returning(AskRow)
        .execution_options(synchronize_session=False)
    )
    return None if row is None else _asked(row)


def _asked(row: AskRow) -> Asked:
    topics = frozenset(map(TopicSlug, filter(None, row.topics.split(","))))
    cadence = Cadence(row.cadence) if row.cadence else None
    return Asked(Wishes(topics, cadence, row.language, row.name, row.may_measure), row.at)
