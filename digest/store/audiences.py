"""Who an issue is for: its audience as stored, the editions they see, and those who get nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Select,
    String,
    Text,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SkipReason, SubscriberId, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.base import Base
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow, SuppressionRow

PAGE = 5_000
"""Readers fetched and written at a time, so that memory stays flat however many there are."""


class EditionRow(Base):
    """A mix of items that at least one reader of the issue gets.

    The key has no index: it may be longer than the 2,704 bytes that PostgreSQL's can hold.
    """

    __tablename__ = "editions"

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(Text)


class SkipRow(Base):
    """A reader in the audience who gets nothing of an issue, and why."""

    __tablename__ = "skips"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))


@dataclass(frozen=True, slots=True)
class Reader:
    """One subscriber of the audience. `follows` has bit *i* set for the *i*-th of the newsletter's topics."""

    subscriber_id: SubscriberId
    email: str
    email_key: str
    follows: int
    is_paused: bool
    is_suppressed: bool


def audience(
    session: Session, newsletter_id: NewsletterId, topics: Mapping[TopicSlug, int]
) -> Iterator[Reader]:
    """Yield every active or paused subscriber by id, all as of one moment, fetched in pages.

    `topics` are row ids in the newsletter's order, as `topic_ids` returns them. The follows are summed
    up in the database: a million readers of five topics each are a million rows here, not five million.
    """
    bits = {topic_id: 1 << index for index, topic_id in enumerate(topics.values())}
    rows = session.execute(_audience_query(newsletter_id, bits), execution_options={"yield_per": PAGE})
    for subscriber_id, email, key, state, mask, is_suppressed in rows:
        yield Reader(
            SubscriberId(subscriber_id),
            email,
            key,
            int(mask),
            is_paused=state == SubscriptionState.PAUSED,
            is_suppressed=bool(is_suppressed),
        )


def _audience_query(
    newsletter_id: NewsletterId, bits: Mapping[int, int]
) -> Select[int, str, str, str, Any, bool]:
    # A follow is there once or not at all, so the sum of the bits is their union. One look into the primary
    # key for each reader: to join the sums of all took PostgreSQL 45 s instead of 1 for 20,000 readers who
    # had just been imported, as it knew nothing about the tables yet and compared each with each.
    weight = case(bits, value=FollowRow.topic_id, else_=0) if bits else literal(0)
    mask = (
        select(func.coalesce(func.sum(cast(weight, BigInteger)), 0))
        .where(FollowRow.subscriber_id == SubscriberRow.id, FollowRow.topic_id.in_(list(bits)))
        .scalar_subquery()
        .label("follows")
    )
    return (
        select(
            SubscriberRow.id,
            SubscriberRow.email,
            SubscriberRow.email_key,
            SubscriptionRow.state,
            mask,
            exists().where(SuppressionRow.email_key == SubscriberRow.email_key),
        )
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .where(
            SubscriptionRow.newsletter_id == newsletter_id,
            SubscriptionRow.state.in_((SubscriptionState.ACTIVE, SubscriptionState.PAUSED)),
        )
        .order_by(SubscriberRow.id)
    )


def count_follows(
    session: Session, newsletter_id: NewsletterId, topics: Mapping[TopicSlug, int]
) -> dict[int, int]:
    """Return how many readers who may be mailed follow each mix of topics, by mask as in `Reader.follows`."""
    bits = {topic_id: 1 << index for index, topic_id in enumerate(topics.values())}
    readers = (
        _audience_query(newsletter_id, bits)
        .where(
            SubscriptionRow.state == SubscriptionState.ACTIVE,
            ~exists().where(SuppressionRow.email_key == SubscriberRow.email_key),
        )
        .order_by(None)
        .subquery()
    )
    rows = session.execute(select(readers.c.follows, func.count()).group_by(readers.c.follows))
    return {int(mask): count for mask, count in rows}


def count_active(session: Session, newsletter_id: NewsletterId) -> int:
    """Return how many active subscribers a newsletter has."""
    is_active = SubscriptionRow.state == SubscriptionState.ACTIVE.value
    query = select(func.count()).select_from(SubscriptionRow)
    return session.scalar(query.where(SubscriptionRow.newsletter_id == newsletter_id, is_active)) or 0


def add_edition(session: Session, issue_id: IssueId, key: str) -> int:
    """Store an edition that an issue's readers see; return its row id."""
    row = EditionRow(issue_id=issue_id, key=key)
    session.add(row)
    session.flush()
    return row.id


def edition_keys(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the keys of these editions by row id."""
    rows = session.execute(select(EditionRow.id, EditionRow.key).where(EditionRow.id.in_(list(ids))))
    return dict(rows.all())


def count_editions(session: Session, issue_id: IssueId) -> int:
    """Return how many different mixes of items the issue's readers get."""
    return session.scalar(select(func.count()).where(EditionRow.issue_id == issue_id)) or 0


def add_skips(session: Session, issue_id: IssueId, skips: Iterable[tuple[SubscriberId, SkipReason]]) -> None:
    """Remember who gets nothing, and why."""
    rows = [{"issue_id": issue_id, "subscriber_id": who, "reason": why.value} for who, why in skips]
    if rows:
        session.connection().execute(insert(SkipRow), rows)


def count_skips(session: Session, issue_id: IssueId) -> dict[SkipReason, int]:
    """Return how many readers get nothing of the issue, by reason."""
    rows = session.execute(
        select(SkipRow.reason, func.count()).where(SkipRow.issue_id == issue_id).group_by(SkipRow.reason)
    )
    return {SkipReason(reason): count for reason, count in rows}


def find_skip(session: Session, issue_id: IssueId, subscriber_id: SubscriberId) -> SkipReason | None:
    """Return why a reader was sent nothing of an addressed issue, or None when they were not skipped."""
    row = session.get(SkipRow, (issue_id, subscriber_id))
    return None if row is None else SkipReason(row.reason)
