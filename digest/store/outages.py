"""Mail servers that stay away, as each issue that waits for one has met it.

A row, because workers are many and short-lived: all of them wait for the same next try, and ops are told
once, not once a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Text, delete, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import IssueId
from digest.store.base import Base, storable


class OutageRow(Base):
    """No conversation about this issue could be opened since then."""

    __tablename__ = "outages"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    retry_at: Mapped[datetime]
    told_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Outage:
    """What an issue waits for: `reason` names the server and what it said last."""

    issue_id: IssueId
    reason: str
    since: datetime
    retry_at: datetime


def find_outage(session: Session, issue_id: IssueId) -> Outage | None:
    """Return what the issue waits for, or None when the server answered last."""
    row = session.get(OutageRow, issue_id, populate_existing=True)
    return None if row is None else Outage(issue_id, row.reason, row.since, row.retry_at)


def record_outage(session: Session, outage: Outage) -> None:
    """Remember an outage, or how one goes on: the moment it began stays."""
    values = {"reason": storable(outage.reason)[:500], "retry_at": outage.retry_at}
    try:
        with session.begin_nested():
            if session.get(OutageRow, outage.issue_id) is None:
                session.add(OutageRow(issue_id=outage.issue_id, since=outage.since, **values))
    except IntegrityError:
        pass  # another worker met it at the same moment
    session.execute(update(OutageRow).where(OutageRow.issue_id == outage.issue_id).values(**values))


def claim_telling(
    session: Session, issue_id: IssueId, *, now: datetime, after: timedelta, again: timedelta
) -> bool:
    """Return whether this caller is to tell ops: it lasts for `after`, and nobody has told for `again`."""
    claimed = session.scalar(
        update(OutageRow)
        .where(
            OutageRow.issue_id == issue_id,
            OutageRow.since <= now - after,
            or_(OutageRow.told_at.is_(None), OutageRow.told_at <= now - again),
        )
        .values(told_at=now)
        .returning(OutageRow.issue_id)
    )
    return claimed is not None


def end_outage(session: Session, issue_id: IssueId) -> None:
    """Forget an outage: the server answers again."""
    session.execute(delete(OutageRow).where(OutageRow.issue_id == issue_id))
