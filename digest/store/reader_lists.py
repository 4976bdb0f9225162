"""Lists of readers that were uploaded: kept while they are tried and brought in, and a day at most."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    LargeBinary,
    Select,
    String,
    Text,
    and_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, defer, mapped_column

from digest.domain.errors import Conflict, NotFound
from digest.domain.newsletters import NewsletterId
from digest.domain.reader_lists import ListStage, ListTerms, ListTold, ReaderList, ReaderListId
from digest.store.base import NEVER_AGAIN, Base, storable

KEPT = timedelta(days=1)
"""Lists and their reports hold addresses, so the next purge after a day takes them, used or not."""


class ReaderListRow(Base):
    """A list. `content` is its file and `report` what became of each line, both as zlib packs them.

    `is_kept` says that the file is still there.
    """

    __tablename__ = "reader_lists"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"), index=True)
    file: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_kept: Mapped[bool]
    asked_by: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime]
    stage: Mapped[str] = mapped_column(String(16))
    terms: Mapped[str] = mapped_column(Text)
    done: Mapped[int]
    total: Mapped[int | None]
    began_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int]
    ended_at: Mapped[datetime | None]
    told: Mapped[str] = mapped_column(Text)
    problem: Mapped[str] = mapped_column(Text)
    report: Mapped[bytes | None] = mapped_column(LargeBinary)


def add_reader_list(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    file: str,
    content: bytes,
    terms: ListTerms,
    by: str,
    now: datetime,
) -> ReaderList:
    """Keep a list, to be tried by a worker."""
    row = ReaderListRow(
        newsletter_id=newsletter_id,
        file=storable(file)[:200],
        content=content,
        is_kept=True,
        asked_by=by,
        asked_at=now,
        stage=ListStage.TRIAL.value,
        terms=json.dumps(asdict(terms), ensure_ascii=False),
        done=0,
        attempts=0,
        told="",
        problem="",
    )
    session.add(row)
    session.flush()
    return _list(row)


def get_reader_list(session: Session, newsletter_id: NewsletterId, number: int) -> ReaderList:
    """Return a newsletter's list. Raises `NotFound`."""
    row = session.scalar(_light().where(ReaderListRow.id == number))
    if row is None or row.newsletter_id != newsletter_id:
        raise NotFound(f"no list {number}: lists are kept for a day")
    return _list(row)


def recent_reader_lists(
    session: Session, newsletter_id: NewsletterId, *, limit: int
) -> tuple[ReaderList, ...]:
    """Return a newsletter's lists, the newest first."""
    rows = session.scalars(
        _light()
        .where(ReaderListRow.newsletter_id == newsletter_id)
        .order_by(ReaderListRow.id.desc())
        .limit(limit)
    ).all()
    return tuple(map(_list, rows))


def ask_again(
    session: Session, number: ReaderListId, *, stage: ListStage, terms: ListTerms, by: str, now: datetime
) -> None:
    """Have a list tried or brought in. Raises `Conflict` for one that is under way, or in already."""
    changed = session.scalar(
        update(ReaderListRow)
        .where(
            ReaderListRow.id == number,
            ReaderListRow.ended_at.is_not(None),
            ReaderListRow.is_kept,
        )
        .values(
            stage=stage.value,
            terms=json.dumps(asdict(terms), ensure_ascii=False),
            asked_by=by,
            asked_at=now,
            done=0,
            total=None,
            began_at=None,
            lease_until=None,
            attempts=0,
            ended_at=None,
            told="",
            problem="",
            report=None,
        )
        .returning(ReaderListRow.id)
    )
    if changed is None:
        raise Conflict("the list is under way, or was brought in already: nothing was begun")


def pending_lists(session: Session, *, now: datetime) -> tuple[ReaderListId, ...]:
    """Return the lists that no worker is at, the oldest first."""
    rows = session.scalars(select(ReaderListRow.id).where(_is_free(now)).order_by(ReaderListRow.asked_at))
    return tuple(map(ReaderListId, rows))


def claim_list(
    session: Session, number: ReaderListId, *, now: datetime, lease_until: datetime
) -> tuple[ReaderList, int, bytes] | None:
    """Take up a list; return it, how often that was done, and its file. None: another has it."""
    claimed = session.scalar(
        update(ReaderListRow)
        .where(ReaderListRow.id == number, _is_free(now))
        .values(lease_until=lease_until, began_at=now, attempts=ReaderListRow.attempts + 1)
        .returning(ReaderListRow.id)
    )
    if claimed is None:
        return None
    row = session.get_one(ReaderListRow, claimed, populate_existing=True)
    return _list(row), row.attempts, row.content or b""


def note_progress(
    session: Session, claimed: ReaderList, *, done: int, total: int | None, lease_until: datetime
) -> bool:
    """Keep how far a list has come, and keep it claimed; return whether it is still this worker's."""
    noted = session.scalar(
        update(ReaderListRow)
        .where(*_still(claimed))
        .values(done=done, total=total, lease_until=lease_until)
        .returning(ReaderListRow.id)
    )
    return noted is not None


def give_list_back(session: Session, claimed: ReaderList) -> None:
    """Let another worker go on with a list: this one was told to stop, which counts as no try."""
    session.execute(
        update(ReaderListRow)
        .where(*_still(claimed))
        .values(lease_until=None, attempts=ReaderListRow.attempts - 1)
    )


def end_list(
    session: Session,
    claimed: ReaderList,
    *,
    told: ListTold | None,
    problem: str = "",
    report: bytes | None = None,
    is_used: bool = False,
    now: datetime,
) -> None:
    """Keep what a list came to, if it is still this worker's; its file goes once it `is_used`."""
    values: dict[str, Any] = {
        "ended_at": now,
        "lease_until": None,
        "told": storable(json.dumps(asdict(told), ensure_ascii=False)) if told else "",
        "problem": storable(problem),
        "report": report,
    }
    if is_used:
        values |= {"content": None, "is_kept": False}
    session.execute(update(ReaderListRow).where(*_still(claimed)).values(values))


def _still(claimed: ReaderList) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that a list is under way by this claim: taken up again, it began later."""
    return (
        ReaderListRow.id == claimed.id,
        ReaderListRow.ended_at.is_(None),
        ReaderListRow.began_at == claimed.began_at,
    )


def report_of(session: Session, number: ReaderListId) -> bytes | None:
    """Return what became of each line, packed; None where there is no report."""
    return session.scalar(select(ReaderListRow.report).where(ReaderListRow.id == number))


def _is_free(now: datetime) -> ColumnElement[bool]:
    return and_(
        ReaderListRow.ended_at.is_(None),
        or_(ReaderListRow.lease_until.is_(None), ReaderListRow.lease_until < now),
    )


def _light() -> Select[ReaderListRow]:
    """Return lists without their files and reports, which are as large as they like."""
    return select(ReaderListRow).options(defer(ReaderListRow.content), defer(ReaderListRow.report))


def _list(row: ReaderListRow) -> ReaderList:
    return ReaderList(
        id=ReaderListId(row.id),
        newsletter_id=NewsletterId(row.newsletter_id),
        file=row.file,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        stage=ListStage(row.stage),
        terms=_terms(json.loads(row.terms)),
        done=row.done,
        total=row.total,
        began_at=row.began_at,
        ended_at=row.ended_at,
        told=_told(json.loads(row.told)) if row.told else None,
        problem=row.problem,
        has_file=row.is_kept,
    )


def _terms(told: dict[str, Any]) -> ListTerms:
    return ListTerms(**{**told, "topics": tuple(told["topics"])})


def _told(told: dict[str, Any]) -> ListTold:
    return ListTold(**{**told, "notes": tuple(told["notes"])})
