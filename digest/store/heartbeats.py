"""Which processes work, by the last sign of life each of them gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base, storable
from digest.store.database import insert_or_ignore

FORGOTTEN_AFTER = timedelta(days=1)
"""A process that has been silent for so long was ended, and another has its work."""


class HeartbeatRow(Base):
    """A process that works, and when it was last heard of."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(String(120), primary_key=True)
    since: Mapped[datetime]
    seen_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A process as `host:pid`, since when it works, and when it was last heard of."""

    process: str
    since: datetime
    seen_at: datetime


def note_heartbeat(session: Session, process: str, *, now: datetime) -> None:
    """Note that a process works, and forget those that have not for a day."""
    known = storable(process)[:120]
    seen = session.scalar(
        update(HeartbeatRow)
        .where(HeartbeatRow.process == known)
        .values(seen_at=now)
        .returning(HeartbeatRow.process)
        .execution_options(synchronize_session=False)
    )
    if seen is None:
        row = {"process": known, "since": now, "seen_at": now}
        session.execute(insert_or_ignore(session, HeartbeatRow), [row])
    session.execute(delete(HeartbeatRow).where(HeartbeatRow.seen_at < now - FORGOTTEN_AFTER))


def list_heartbeats(session: Session, *, since: datetime) -> tuple[Heartbeat, ...]:
    """Return the processes that were heard of after `since`, by name."""
    rows = session.scalars(
        select(HeartbeatRow).where(HeartbeatRow.seen_at > since).order_by(HeartbeatRow.process)
    )
    return tuple(Heartbeat(row.process, row.since, row.seen_at) for row in rows)


def last_heartbeat(session: Session) -> datetime | None:
    """Return when any process was last heard of, None when none was within a day."""
    return session.scalar(select(HeartbeatRow.seen_at).order_by(HeartbeatRow.seen_at.desc()).limit(1))
