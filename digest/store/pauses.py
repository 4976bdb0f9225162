"""Pauses of issues: who paused one and why, when it went on, and whether ops have been told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.pauses import PROGRAM, Pause, PauseCause
from digest.store.base import Base, storable
from digest.store.issues import change_issue, lock_issue

_OPEN = text("ended_at IS NULL")

PAUSABLE = (IssueState.APPROVED, IssueState.SENDING)


class PauseRow(Base):
    """An issue's pause. `note_before` is what its note said; `tell_at` is set while ops are to be told."""

    __tablename__ = "pauses"
    __table_args__ = (
        Index("ix_pauses_open", "issue_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    cause: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    note_before: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(200))
    tell_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Untold:
    """A pause of which ops are to be told."""

    id: int
    issue_id: IssueId
    pause: Pause


def pause_issue(
    session: Session,
    issue_id: int,
    *,
    by: str,
    why: str,
    now: datetime,
    cause: PauseCause = PauseCause.PERSON,
    only_from: Collection[IssueState] = PAUSABLE,
) -> Issue:
    """Pause an issue that is approved or being sent. Nothing of it is armed once this is committed.

    Ops are to be told of what the program does. Raises `Conflict` for an issue in any other state.
    """
    before = lock_issue(session, issue_id)
    pause = Pause(cause, by, storable(why), now)
    paused = change_issue(
        session, issue_id, IssueState.PAUSED, now=now, note=pause.in_words, only_from=only_from
    )
    end_pause(session, paused.id, by=by, now=now)
    session.add(
        PauseRow(
            issue_id=paused.id,
            cause=cause,
            by=by,
            why=pause.why,
            note_before=before.note,
            since=now,
            ended_by="",
            tell_at=now if by == PROGRAM else None,
        )
    )
    session.flush()
    return paused


def resume_issue(session: Session, issue_id: int, *, by: str, now: datetime) -> Issue:
    """Put a paused issue back where it was: approved when it had not been addressed, else sending.

    What share of it had failed or was complained of is accepted: it counts from now on. Raises `Conflict`
    unless it is paused.
    """
    before = lock_issue(session, issue_id)
    if before.state is not IssueState.PAUSED:
        raise Conflict(f"issue {issue_id} is {before.state}, not paused: there is nothing to go on with")
    back = IssueState.APPROVED if before.sending_at is None else IssueState.SENDING
    note = session.scalar(
        select(PauseRow.note_before).where(PauseRow.issue_id == issue_id, PauseRow.ended_at.is_(None))
    )
    issue = change_issue(session, issue_id, back, now=now, note=note or "", only_from=(IssueState.PAUSED,))
    end_pause(session, issue.id, by=by, now=now)
    return issue


def end_pause(session: Session, issue_id: IssueId, *, by: str, now: datetime) -> None:
    """Note that a pause is over, as because the issue goes on or was cancelled; ops are not told of it."""
    session.execute(
        update(PauseRow)
        .where(PauseRow.issue_id == issue_id, PauseRow.ended_at.is_(None))
        .values(ended_at=now, ended_by=by, tell_at=None)
    )


def find_pause(session: Session, issue_id: IssueId) -> Pause | None:
    """Return the pause an issue is in, None when it is in none that was noted."""
    row = session.scalar(select(PauseRow).where(PauseRow.issue_id == issue_id, PauseRow.ended_at.is_(None)))
    return None if row is None else _pause(row)


def accepted_until(session: Session, issue_id: IssueId) -> datetime | None:
    """Return when somebody last let an issue go on that the program had paused, None when nobody did."""
    return session.scalar(
        select(func.max(PauseRow.ended_at)).where(
            PauseRow.issue_id == issue_id, PauseRow.cause != PauseCause.PERSON
        )
    )


def claim_untold(session: Session, *, now: datetime, again: timedelta) -> tuple[Untold, ...]:
    """Return the pauses that ops are to be told of now. Whoever dies at it leaves them due `again` later."""
    rows = session.scalars(
        update(PauseRow)
        .where(PauseRow.tell_at <= now, PauseRow.ended_at.is_(None))
        .values(tell_at=now + again)
        .returning(PauseRow)
        .execution_options(synchronize_session=False)
    ).all()
    return tuple(Untold(row.id, IssueId(row.issue_id), _pause(row)) for row in rows)


def note_told(session: Session, pause_id: int) -> None:
    """Note that ops have been told of a pause."""
    session.execute(update(PauseRow).where(PauseRow.id == pause_id).values(tell_at=None))


def _pause(row: PauseRow) -> Pause:
    return Pause(PauseCause(row.cause), row.by, row.why, row.since)
