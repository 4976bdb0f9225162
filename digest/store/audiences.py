"""Who an issue is for: its audience as stored, the editions they see, and those who get nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Select,
    String,
    Text,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.addressing import Skip
from digest.domain.cadences import Cadence
from digest.domain.issues import IssueId
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SkipReason, SubscriberId, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.base import Base
from digest.store.bulk import Values, insert_rows
from digest.store.less import LessAsked
from digest.store.subscribers import FollowRow, SubscriberRow, SubscriptionRow
from digest.store.suppressions import SuppressionRow

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
    """A reader in the audience who gets nothing of an issue, and why. See `Skip`.

    Numbers below 0 are nobody's: `left_out` says when a reader's becomes one.
    """

    __tablename__ = "skips"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    until: Mapped[date | None]


class Reader(NamedTuple):
    """One subscriber of the audience. A tuple, as a million of these are read.

    `follows` has bit *i* set for the *i*-th of the newsletter's topics. `timezone` is '' for the
    newsletter's; `most` is how many articles a mail may hold, None for all. `send_at` is written as a
    `WishedHour` is. `is_outside` is who is not among those whom the issue is for.
    """

    subscriber_id: SubscriberId
    email: str
    email_key: str
    state: str
    cadence: str
    most: int | None
    timezone: str
    send_at: str
    text_only: bool
    is_suppressed: bool
    follows: int
    is_outside: bool = False


def audience(
    session: Session,
    newsletter_id: NewsletterId,
    topics: Mapping[TopicSlug, int],
    *,
    page: int = PAGE,
    beside: LessAsked | None = None,
    outside: ColumnElement[bool] | None = None,
) -> Iterator[list[Reader]]:
    """Yield every active or paused subscriber by id, all as of one moment, in pages.

    `topics` are row ids in the newsletter's order, as `topic_ids` returns them. The follows are summed
    up in the database: a million readers of five topics each are a million rows here, not five million.
    With `beside` those are left out whom `count_wishes` counts `but` these. `outside` is the condition that
    keeps a reader from the issue.
    """
    query = _audience_query(newsletter_id, topics).add_columns(false() if outside is None else outside)
    if beside is not None:
        query = query.where(or_(SubscriptionRow.cadence != Cadence.EVERY.value, *beside.asks))
    rows = session.connection().execute(query, execution_options={"yield_per": page})
    for partition in rows.partitions():
        yield list(map(Reader._make, partition))


def _audience_query(
    newsletter_id: NewsletterId, topics: Mapping[TopicSlug, int]
) -> Select[int, str, str, str, str, int | None, str, str, bool, bool, int]:
    # A follow is there once or not at all, so the sum of the bits is their union. One look into the primary
    # key for each reader: to join the sums of all took PostgreSQL 45 s instead of 1 for 20,000 readers who
    # had just been imported, as it knew nothing about the tables yet and compared each with each. Topics of
    # other newsletters weigh nothing: to name ours in the condition cost SQLite 20 looks for each reader.
    bits = {topic_id: 1 << index for index, topic_id in enumerate(topics.values())}
    weight = case(bits, value=FollowRow.topic_id, else_=0) if bits else literal(0)
    mask = (
        select(cast(func.coalesce(func.sum(cast(weight, BigInteger)), 0), BigInteger))
        .where(FollowRow.subscriber_id == SubscriberRow.id)
        .scalar_subquery()
        .label("follows")
    )
    return (
        select(
            SubscriberRow.id,
            SubscriberRow.email,
            SubscriberRow.email_key,
            SubscriptionRow.state,
            SubscriptionRow.cadence,
            SubscriptionRow.max_items,
            SubscriberRow.timezone,
            SubscriptionRow.send_at,
            SubscriptionRow.text_only,
            exists().where(SuppressionRow.email_key == SubscriberRow.email_key),
            mask,
        )
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .where(
            SubscriptionRow.newsletter_id == newsletter_id,
            SubscriptionRow.state.in_((SubscriptionState.ACTIVE, SubscriptionState.PAUSED)),
        )
        .order_by(SubscriberRow.id)
    )


def count_wishes(
    session: Session,
    newsletter_id: NewsletterId,
    topics: Mapping[TopicSlug, int],
    *,
    but: LessAsked,
    outside: ColumnElement[bool] | None = None,
) -> dict[tuple[int, int | None], int]:
    """Return how many readers who may be mailed want every issue, by what they follow and the most of it.

    Both are as in `Reader`. Left out are those whom `outside` fits, and who asked for less of something.
    """
    wanting = _audience_query(newsletter_id, topics).where(
        SubscriptionRow.state == SubscriptionState.ACTIVE,
        SubscriptionRow.cadence == Cadence.EVERY.value,
        ~exists().where(SuppressionRow.email_key == SubscriberRow.email_key),
        *(~asks for asks in but.asks),
    )
    if outside is not None:
        wanting = wanting.where(~outside)
    readers = wanting.order_by(None).subquery()
    wishes = readers.c.follows, readers.c.max_items
    rows = session.execute(select(*wishes, func.count()).group_by(*wishes))
    return {(mask, most): count for mask, most, count in rows}


def count_outside(session: Session, newsletter_id: NewsletterId, outside: ColumnElement[bool]) -> int:
    """Return how many readers who may be mailed an issue is not for."""
    may_be_mailed = (
        SubscriptionRow.newsletter_id == newsletter_id,
        SubscriptionRow.state == SubscriptionState.ACTIVE.value,
        ~exists().where(SuppressionRow.email_key == SubscriberRow.email_key),
    )
    query = (
        select(func.count())
        .select_from(SubscriptionRow)
        .join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
    )
    return session.scalar(query.where(*may_be_mailed, outside)) or 0


def count_withheld(session: Session, newsletter_id: NewsletterId) -> dict[SkipReason, int]:
    """Return how many readers get nothing whatever an issue holds; suppressed ones may have paused, too."""
    is_suppressed = exists().where(SuppressionRow.email_key == SubscriberRow.email_key)
    ties = (
        select(func.count())
        .select_from(SubscriptionRow)
        .join(SubscriberRow, SubscriberRow.id == SubscriptionRow.subscriber_id)
        .where(SubscriptionRow.newsletter_id == newsletter_id)
    )
    either = (SubscriptionState.ACTIVE.value, SubscriptionState.PAUSED.value)
    paused = SubscriptionRow.state == SubscriptionState.PAUSED.value
    counts = {
        SkipReason.SUPPRESSED: session.scalar(ties.where(SubscriptionRow.state.in_(either), is_suppressed)),
        SkipReason.PAUSED: session.scalar(ties.where(paused, ~is_suppressed)),
    }
    return {reason: count for reason, count in counts.items() if count}


def has_more_readers_than(session: Session, newsletter_id: NewsletterId, most: int) -> bool:
    """Return whether a newsletter has more subscriptions than `most`, in any state, without counting all."""
    one = select(SubscriptionRow.subscriber_id).where(SubscriptionRow.newsletter_id == newsletter_id)
    return session.scalar(one.offset(most).limit(1)) is not None


def count_active(session: Session, newsletter_id: NewsletterId) -> int:
    """Return how many active subscribers a newsletter has."""
    is_active = SubscriptionRow.state == SubscriptionState.ACTIVE.value
    query = select(func.count()).select_from(SubscriptionRow)
    return session.scalar(query.where(SubscriptionRow.newsletter_id == newsletter_id, is_active)) or 0


def add_editions(session: Session, issue_id: IssueId, keys: Iterable[str], *, after: int) -> dict[str, int]:
    """Store editions that an issue's readers see, each once; return their row ids by key.

    `after` is the highest id that the issue's editions had before, 0 for none.
    """
    insert_rows(session, EditionRow, ("issue_id", "key"), [(issue_id, key) for key in keys])
    added = select(EditionRow.key, EditionRow.id).where(
        EditionRow.issue_id == issue_id, EditionRow.id > after
    )
    return dict(session.connection().execute(added).all())


def edition_keys(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return the keys of these editions by row id."""
    rows = session.execute(select(EditionRow.id, EditionRow.key).where(EditionRow.id.in_(list(ids))))
    return dict(rows.all())


def count_editions(session: Session, issue_id: IssueId) -> int:
    """Return how many different mixes of items the issue's readers get."""
    return session.scalar(select(func.count()).where(EditionRow.issue_id == issue_id)) or 0


def add_skips(session: Session, issue_id: IssueId, skips: Iterable[tuple[SubscriberId, Skip]]) -> None:
    """Remember who gets nothing, and why."""
    rows: list[Values] = [
        (issue_id, who, why.reason.value, why.until and why.until.isoformat()) for who, why in skips
    ]
    insert_rows(session, SkipRow, ("issue_id", "subscriber_id", "reason", "until"), rows)


def count_skips(session: Session, issue_id: IssueId) -> dict[SkipReason, int]:
    """Return how many readers get nothing of the issue, by reason."""
    rows = session.execute(
        select(SkipRow.reason, func.count()).where(SkipRow.issue_id == issue_id).group_by(SkipRow.reason)
    )
    return {SkipReason(reason): count for reason, count in rows}


def find_skip(session: Session, issue_id: IssueId, subscriber_id: SubscriberId) -> Skip | None:
    """Return why a reader was sent nothing of an addressed issue, or None when they were not skipped."""
    row = session.get(SkipRow, (issue_id, subscriber_id))
    return None if row is None else Skip(SkipReason(row.reason), row.until)
