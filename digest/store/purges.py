"""What was purged, by day and kind: for ops to see, and so that a purge that was stopped goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import ForeignKey, String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base
from digest.store.database import insert_or_ignore, insert_or_replace


class PurgeRow(Base):
    """How much of a kind was removed on a day (UTC); `ended_at` is when the kind was last done to its end."""

    __tablename__ = "purges"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    removed: Mapped[int]
    ended_at: Mapped[datetime | None]


class PurgedIssueRow(Base):
    """An issue whose mails hold no address any more: without this each purge would look at all its mails."""

    __tablename__ = "purged_issues"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    purged_at: Mapped[datetime]


def add_purged(session: Session, kind: str, removed: int, *, now: datetime, is_ended: bool) -> None:
    """Add to what was removed of a kind today; `is_ended`: nothing of it is left to remove."""
    day = now.date()
    insert = insert_or_ignore(session, PurgeRow, [{"day": day, "kind": kind, "removed": 0, "ended_at": None}])
    session.execute(insert)
    session.execute(
        update(PurgeRow)
        .where(PurgeRow.day == day, PurgeRow.kind == kind)
        .values(removed=PurgeRow.removed + removed, ended_at=now if is_ended else PurgeRow.ended_at)
        .execution_options(synchronize_session=False)
    )


def ended_kinds(session: Session, *, since: datetime) -> frozenset[str]:
    """Return the kinds that were done to their end since then."""
    return frozenset(session.scalars(select(PurgeRow.kind).where(PurgeRow.ended_at >= since)))


def purged_since(session: Session, day: date) -> Mapping[str, tuple[int, datetime | None]]:
    """Return by kind how much was removed from a day on, and when it was last done to its end."""
    rows = session.execute(
        select(PurgeRow.kind, func.sum(PurgeRow.removed), func.max(PurgeRow.ended_at))
        .where(PurgeRow.day >= day)
        .group_by(PurgeRow.kind)
    )
    return {kind: (int(removed), ended_at) for kind, removed, ended_at in rows}


def note_purged_issue(session: Session, issue_id: int, *, now: datetime) -> None:
    """Note that no mail of an issue holds an address any more."""
    insert_or_replace(session, PurgedIssueRow, {"issue_id": issue_id, "purged_at": now})
