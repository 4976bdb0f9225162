"""Terms that readers agreed to, made shorter for good: of what is kept by then, too."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Interval, String, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.issues import IssueRow
from digest.store.measured import MeasuredReaderRow
from digest.store.measures import FollowedLinkRow, OpenRow
from digest.store.reader_locks import hold_readers
from digest.store.terms import Page

_PEOPLE_AT_ONCE = 50
"""Each of them may have opened an issue on every day of the term."""


def count_longer(session: Session, days: int) -> int:
    """Return how many agreements are to more days than these."""
    return session.scalar(select(func.count()).where(MeasuredReaderRow.days > days)) or 0


def shorten_agreements(session: Session, days: int, after: int, most: int) -> Page:
    """Let it be kept for so many days at most of a page of readers, also when the term is longer again.

    What was measured of them goes that many days after it was.
    """
    is_longer = MeasuredReaderRow.days > days
    readers = session.scalars(
        select(MeasuredReaderRow.subscriber_id)
        .where(is_longer, MeasuredReaderRow.subscriber_id > after)
        .distinct()
        .order_by(MeasuredReaderRow.subscriber_id)
        .limit(min(most, _PEOPLE_AT_ONCE))
    ).all()
    if not readers:
        return Page(0, None)
    hold_readers(session, [SubscriberId(reader) for reader in readers])
    key = MeasuredReaderRow.newsletter_id, MeasuredReaderRow.subscriber_id
    which = is_longer, MeasuredReaderRow.subscriber_id.in_(readers)
    # In one order everywhere, as in `measurable_among`.
    longer = session.execute(select(*key).where(*which).order_by(*key).with_for_update()).all()
    shorter = update(MeasuredReaderRow).where(*which).values(days=days)
    session.execute(shorter.execution_options(synchronize_session=False))
    for newsletter in sorted({newsletter for newsletter, _ in longer}):
        of_it = [SubscriberId(reader) for one, reader in longer if one == newsletter]
        _shorten_measured(session, NewsletterId(newsletter), of_it, days)
    return Page(len(longer), readers[-1])


def shorten_agreement(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, days: int
) -> None:
    """Do so for one reader and newsletter, to no more days than they had agreed to."""
    shorter = update(MeasuredReaderRow).where(
        MeasuredReaderRow.newsletter_id == newsletter_id, MeasuredReaderRow.subscriber_id == subscriber_id
    )
    session.execute(shorter.values(days=days).execution_options(synchronize_session=False))
    _shorten_measured(session, newsletter_id, [subscriber_id], days)


def _shorten_measured(
    session: Session, newsletter_id: NewsletterId, readers: Collection[SubscriberId], days: int
) -> None:
    issues = select(IssueRow.id).where(IssueRow.newsletter_id == newsletter_id)
    for row in (OpenRow, FollowedLinkRow):
        ends = _days_after(session, row.at, days)
        sooner = (
            update(row)
            .where(row.subscriber_id.in_(readers), row.issue_id.in_(issues), row.until > ends)
            .values(until=ends)
        )
        session.execute(sooner.execution_options(synchronize_session=False))


def _days_after(
    session: Session, moment: InstrumentedAttribute[datetime], days: int
) -> ColumnElement[datetime] | ColumnElement[str]:
    if session.get_bind().dialect.name == "postgresql":
        return moment + literal(timedelta(days=days), Interval)
    # As SQLite keeps moments: a day, and after its tenth character the time, to the microsecond.
    return func.date(moment, f"+{days} days", type_=String).concat(func.substr(moment, 11, type_=String))
