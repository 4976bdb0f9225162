"""Who agreed that it is measured what they open and follow in a newsletter's mail. Most have no row here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, and_, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import IssueId
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.base import Base
from digest.store.database import insert_or_ignore
from digest.store.issues import IssueRow
from digest.store.newsletters import NewsletterRow
from digest.store.reader_locks import hold_readers
from digest.store.subscribers import SubscriptionRow

_HERE = (SubscriptionState.ACTIVE.value, SubscriptionState.PAUSED.value)


class MeasuredReaderRow(Base):
    """A reader who agreed to be measured, and has not taken it back. Its wording stands in `consents`.

    `days` is how long they were told that it is kept under their name: a longer term since is not theirs.
    With `may_spare` they were told that it may spare them mail that they no longer read.
    """

    __tablename__ = "measured_readers"

    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[datetime]
    days: Mapped[int]
    may_spare: Mapped[bool]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Since when a reader lets themselves be measured, and for how many days it is kept by name.

    With `may_spare`, also to spare them mail that they no longer read.
    """

    since: datetime
    days: int
    may_spare: bool = True

    @property
    def kept_for(self) -> timedelta:
        """The days that it is kept."""
        return timedelta(days=self.days)


_AGREED = MeasuredReaderRow.since, MeasuredReaderRow.days, MeasuredReaderRow.may_spare


def agree_to_measure(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, days: int, now: datetime
) -> bool:
    """Let a reader be measured from now on, as they were told for so many days; return whether that is new.

    Who agreed before agreed to the words and days of then.
    """
    who = {"newsletter_id": newsletter_id, "subscriber_id": subscriber_id}
    row = {**who, "since": now, "days": days, "may_spare": True}
    added = insert_or_ignore(session, MeasuredReaderRow, [row]).returning(MeasuredReaderRow.subscriber_id)
    return session.scalar(added) is not None


def cease_to_measure(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> Agreement | None:
    """Let a reader be measured no more; return what they had agreed to, None for who had not."""
    gone = (
        delete(MeasuredReaderRow)
        .where(
            MeasuredReaderRow.newsletter_id == newsletter_id,
            MeasuredReaderRow.subscriber_id == subscriber_id,
        )
        .returning(*_AGREED)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(gone).one_or_none()
    return None if row is None else Agreement(*row)


def agreement_of(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> Agreement | None:
    """Return what a reader agreed to who lets themselves be measured, None for who does not."""
    row = session.execute(
        select(*_AGREED).where(
            MeasuredReaderRow.newsletter_id == newsletter_id,
            MeasuredReaderRow.subscriber_id == subscriber_id,
        )
    ).one_or_none()
    return None if row is None else Agreement(*row)


def measured_between(
    session: Session, newsletter_id: NewsletterId, first: SubscriberId, last: SubscriberId, *, now: datetime
) -> frozenset[int]:
    """Return which subscribers of these ids, both included, had agreed to be measured by `now`."""
    rows = select(MeasuredReaderRow.subscriber_id).where(
        MeasuredReaderRow.newsletter_id == newsletter_id,
        MeasuredReaderRow.subscriber_id.between(first, last),
        MeasuredReaderRow.since <= now,
    )
    return frozenset(number for (number,) in session.connection().execute(rows))


def measurable_among(
    session: Session, mails: Collection[tuple[IssueId, SubscriberId]], *, lock: bool = False
) -> Mapping[tuple[IssueId, SubscriberId], timedelta]:
    """Return of which mails, by issue and reader, it may be measured now what becomes of them, for how long.

    That is while their newsletter asks, and they read it and have not taken back that they agreed before the
    issue was addressed. With `lock` they cannot take it back before the end of the transaction.
    """
    if not mails:
        return {}
    if lock:
        hold_readers(session, {reader for _, reader in mails})
    asked = (
        select(IssueRow.id, MeasuredReaderRow.subscriber_id, MeasuredReaderRow.days)
        .join(IssueRow, IssueRow.newsletter_id == MeasuredReaderRow.newsletter_id)
        .join(NewsletterRow, NewsletterRow.id == IssueRow.newsletter_id)
        .join(
            SubscriptionRow,
            and_(
                SubscriptionRow.newsletter_id == MeasuredReaderRow.newsletter_id,
                SubscriptionRow.subscriber_id == MeasuredReaderRow.subscriber_id,
            ),
        )
        .where(
            IssueRow.id.in_({issue for issue, _ in mails}),
            MeasuredReaderRow.subscriber_id.in_({reader for _, reader in mails}),
            NewsletterRow.measuring == Measuring.ASKED.value,
            SubscriptionRow.state.in_(_HERE),
            # Who took it back and agrees again is not counted a second time in an issue of before.
            IssueRow.sending_at >= MeasuredReaderRow.since,
        )
        # In one order everywhere: two that each wait for the other's row would wait for ever.
        .order_by(MeasuredReaderRow.newsletter_id, MeasuredReaderRow.subscriber_id)
    )
    if lock:
        asked = asked.with_for_update(of=MeasuredReaderRow)
    found = {
        (IssueId(issue), SubscriberId(reader)): timedelta(days=days)
        for issue, reader, days in session.execute(asked)
    }
    wanted = set(mails)
    return {mail: kept for mail, kept in found.items() if mail in wanted}
