"""A database that is older than what was sent from it: noticed before anything more is sent.

It does not know of mails that went out since the copy was made, would send them again, and may run a week's
schedule once more. So everything is held until a person lets it go on, and mails that were still to come are
of unknown outcome: the mail server's log tells which of them are out.
"""

from __future__ import annotations

from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from digest.deliver.marks import Mark, Marks, read_marks, tidy_marks
from digest.domain.issues import IssueId
from digest.domain.pauses import PROGRAM, Hold, HoldCause
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.holds import accepted_before, begin_hold, worsen_hold
from digest.store.homes import Home, find_home, holds_any, place_of, settle_in
from digest.store.open_outcomes import (
    doubt_unsent,
)

log = structlog.get_logger(__name__)


def hold_if_restored(runtime: Runtime) -> None:
    """Hold everything when the database is an older copy, or stands elsewhere than where it was sent from."""
    with reading(runtime.engine) as session:
        home, place = find_home(session), place_of(session)
    if home is None:
        with writing(runtime.engine) as session:
            settle_in(session, place)
        return
    # Before the look into the database: what a mark tells was committed before it was written.
    marks = read_marks(_folder(runtime, home))
    with reading(runtime.engine) as session:
        older = _older(session, marks)
    why = older or _moved(home, place)
    if why or place not in ("", home.place):
        now = runtime.clock()
        with writing(runtime.engine) as session:
            hold = Hold(HoldCause.RESTORED, PROGRAM, why, now)
            # Another host may have seen only that it moved: what was sent from here is noted here.
            if why and (begin_hold(session, hold) or (older and worsen_hold(session, hold, was=_MOVED))):
                doubted = doubt_unsent(session, now=now) if older else 0
                log.error(
                    "sending.held", cause=HoldCause.RESTORED.value, by=PROGRAM, why=why, unknown=doubted
                )
            settle_in(session, place or home.place)


def _moved(home: Home, place: str) -> str:
    if not home.place or not place or home.place == place:
        return ""
    return _MOVED


_MOVED = (
    "this database stands on another PostgreSQL server than it was last sent from, or on one that was "
    "promoted or put back since, and may not know of everything that was sent"
)


def _older(session: Session, marks: tuple[Mark, ...]) -> str:
    """Say of which mails the database does not know, though they were armed; '' when it knows of all."""
    accepted = accepted_before(session, HoldCause.RESTORED)
    unknown = [
        mark
        for mark in marks
        if (accepted is None or mark.at > accepted) and not holds_any(session, mark.armed, armed_at=mark.at)
    ]
    if not unknown:
        return ""
    newest = max(unknown, key=lambda mark: mark.at)
    return (
        "this database is an older copy, put back or promoted: it does not know of mails of issue "
        f"{newest.armed[0].issue} that were sent until {newest.at:%Y-%m-%d %H:%M:%S} UTC"
    )


def open_marks(runtime: Runtime, issue_id: IssueId) -> Marks:
    """Return where this process notes what it arms of an issue. Raises `Misconfigured`, `DiskFull`."""
    with reading(runtime.engine) as session:
        home = find_home(session)
    assert home is not None
    folder = _folder(runtime, home)
    tidy_marks(folder, now=runtime.clock())
    return Marks(folder, runtime.owner, issue_id)


def _folder(runtime: Runtime, home: Home) -> Path:
    return runtime.state_dir / home.identity
