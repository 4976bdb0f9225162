"""Who was left out of issues as they read no more: kept by name as long as what was measured, no longer.

Afterwards as many readers were left out as before, and nobody in particular: their rows have numbers below 0,
which are no reader's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.domain.segments import Field as Asks
from digest.domain.segments import asks_who_reads
from digest.domain.subscribers import SkipReason, SubscriberId
from digest.store.audiences import SkipRow
from digest.store.bulk import insert_rows
from digest.store.edits import Field
from digest.store.issue_segments import IssueSegmentRow
from digest.store.issues import IssueRow

FORGOTTEN = "state:active NOT state:active"
"""What stands in place of what an issue asked once it is forgotten whom that fitted. It fits nobody."""

_BY_NAME = SkipRow.reason == SkipReason.OUTSIDE.value, SkipRow.subscriber_id > 0


def forget_left_out(
    session: Session, subscriber_id: SubscriberId, newsletter_id: NewsletterId | None = None
) -> None:
    """Forget of which issues a reader was left out by what they read; None: of all newsletters' issues."""
    asking = _asking(session, *([IssueRow.newsletter_id == newsletter_id] if newsletter_id else []))
    found = session.scalars(
        select(SkipRow.issue_id)
        .where(SkipRow.issue_id.in_(asking), SkipRow.subscriber_id == subscriber_id, *_BY_NAME)
        .order_by(SkipRow.issue_id)
    ).all()
    for issue_id in found:
        if _hold(session, issue_id):
            _make_nameless(session, issue_id, [subscriber_id])


def count_left_out(session: Session, before: datetime) -> int:
    """Return how many rows tell who was left out of issues that were addressed before then."""
    asking = _asking(session, IssueRow.sending_at < before)
    return session.scalar(select(func.count()).where(SkipRow.issue_id.in_(asking), *_BY_NAME)) or 0


def forget_old_left_out(session: Session, before: datetime, most: int) -> int | None:
    """Forget a page of who was left out of the first issue that was addressed before then; return how many.

    None: there is no such issue any more. With the last of them goes what the issue asked
    of its readers; the name of its segment stays.
    """
    asking = _asking(session, IssueRow.sending_at < before)
    if not asking:
        return None
    issue_id = asking[0]
    if not _hold(session, issue_id):
        return 0
    readers = session.scalars(
        select(SkipRow.subscriber_id)
        .where(SkipRow.issue_id == issue_id, *_BY_NAME)
        .order_by(SkipRow.subscriber_id)
        .limit(most)
    ).all()
    _make_nameless(session, issue_id, readers)
    if len(readers) < most:
        session.execute(update(IssueSegmentRow).where(*_without(issue_id)).values(query=FORGOTTEN))
    return len(readers)


def _asking(session: Session, *which: ColumnElement[bool]) -> Sequence[int]:
    """Return the issues that left out readers by what they read, and say so still, by number."""
    query = IssueSegmentRow.query
    rows = session.execute(
        select(IssueSegmentRow.issue_id, query)
        .join(IssueRow, IssueRow.id == IssueSegmentRow.issue_id)
        .where(
            IssueSegmentRow.field == Field.WITHOUT.value,
            or_(*(query.icontains(f"{field}:") for field in (Asks.OPENED, Asks.FOLLOWED))),
            *which,
        )
        .order_by(IssueSegmentRow.issue_id)
    )
    return [issue_id for issue_id, question in rows if asks_who_reads(question)]


def _without(issue_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return IssueSegmentRow.issue_id == issue_id, IssueSegmentRow.field == Field.WITHOUT.value


def _hold(session: Session, issue_id: int) -> bool:
    """Keep the numbers below 0 of an issue to this transaction; return whether it still says who."""
    held = select(IssueSegmentRow.query).where(*_without(issue_id)).with_for_update()
    return session.scalar(held) not in (None, FORGOTTEN)


def _make_nameless(session: Session, issue_id: int, readers: Collection[int]) -> None:
    of_issue = SkipRow.issue_id == issue_id
    gone = delete(SkipRow).where(of_issue, SkipRow.subscriber_id.in_(readers), *_BY_NAME)
    removed = session.connection().execute(gone).rowcount
    lowest = min(0, session.scalar(select(func.min(SkipRow.subscriber_id)).where(of_issue)) or 0)
    rows = [(issue_id, lowest - 1 - one, SkipReason.OUTSIDE.value) for one in range(removed)]
    insert_rows(session, SkipRow, ("issue_id", "subscriber_id", "reason"), rows)
