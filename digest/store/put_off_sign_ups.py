"""Sign-ups that wait for a cap to let them through: of each mailbox one, with what it asked for last.

A rush that is over the caps of a domain or newsletter is real more often than not. It is asked later, as
those caps allow; what counts a mailbox counts all the same, so nobody is mailed twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, String, delete, exists, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp
from digest.store.base import Base
from digest.store.bulk import as_stored, insert_rows
from digest.store.sign_ups import COLUMNS, SignUpColumns, in_pages, numbers_of, read_sign_up, values_of


class PutOffRow(SignUpColumns, Base):
    """A sign-up that is looked at again at `due_at`; `since` is when it was put off for the first time.

    `mailbox` is a keyed hash of whose it is.
    """

    __tablename__ = "put_off_sign_ups"
    __table_args__ = (
        Index("ix_put_off_sign_ups_due", "due_at", "since"),
        Index("ix_put_off_sign_ups_mailbox", "newsletter_id", "mailbox"),
    )

    mailbox: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime]
    due_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class PutOff:
    """A sign-up that waits, since when, and until when at least."""

    sign_up: SignUp
    mailbox: str
    since: datetime
    due_at: datetime


def put_off(session: Session, newsletter_id: NewsletterId, those: Sequence[PutOff]) -> None:
    """Let these wait. Of a mailbox that waits already, the last wishes count and the first moment."""
    by_mailbox = {one.mailbox: one for one in those}
    of_these = PutOffRow.newsletter_id == newsletter_id, PutOffRow.mailbox.in_(list(by_mailbox))
    since: Mapping[str, datetime] = dict(
        session.execute(select(PutOffRow.mailbox, PutOffRow.since).where(*of_these)).all()
    )
    _delete(session, *of_these)
    insert_rows(
        session,
        PutOffRow,
        (*COLUMNS, "mailbox", "since", "due_at"),
        [
            (
                *values_of(session, one.sign_up),
                mailbox,
                as_stored(session, since.get(mailbox, one.since)),
                as_stored(session, one.due_at),
            )
            for mailbox, one in by_mailbox.items()
        ],
    )


def due_again(session: Session, *, now: datetime, most: int) -> list[tuple[int, PutOff]]:
    """Return those whose time has come, who waited longest first, each with its row's id."""
    rows = session.scalars(
        select(PutOffRow).where(PutOffRow.due_at <= now).order_by(PutOffRow.since, PutOffRow.id).limit(most)
    )
    return [(row.id, PutOff(read_sign_up(row), row.mailbox, row.since, row.due_at)) for row in rows]


def is_any_due(session: Session, *, now: datetime) -> bool:
    """Return whether the time of one of them has come."""
    return bool(session.scalar(select(exists().where(PutOffRow.due_at <= now))))


def put_off_once_more(session: Session, due: Mapping[int, datetime]) -> None:
    """Let these wait until then."""
    by_moment: dict[datetime, list[int]] = {}
    for number, moment in due.items():
        by_moment.setdefault(moment, []).append(number)
    for moment, numbers in by_moment.items():
        session.execute(
            update(PutOffRow)
            .where(PutOffRow.id.in_(numbers))
            .values(due_at=moment)
            .execution_options(synchronize_session=False)
        )


def drop_put_off(session: Session, ids: Collection[int]) -> None:
    """Let these wait no more: they are settled."""
    for page in in_pages(ids):
        _delete(session, PutOffRow.id.in_(page))


def erase_put_off(session: Session, email: str) -> int:
    """Take out what waits of an address; return how many forms that were."""
    theirs = numbers_of(session, PutOffRow, email)
    drop_put_off(session, theirs)
    return len(theirs)


def count_put_off(session: Session) -> dict[NewsletterId, tuple[int, datetime]]:
    """Return how many wait for each newsletter, and when the first of them is looked at again."""
    rows = session.execute(
        select(PutOffRow.newsletter_id, func.count(), func.min(PutOffRow.due_at)).group_by(
            PutOffRow.newsletter_id
        )
    )
    return {NewsletterId(number): (count, due) for number, count, due in rows}


def room_for(session: Session, *, most: int) -> int:
    """Return how many more may wait, where `most` may in all."""
    some = select(PutOffRow.id).limit(most).subquery()
    return most - (session.scalar(select(func.count()).select_from(some)) or 0)


def _delete(session: Session, *which: object) -> None:
    session.execute(
        delete(PutOffRow).where(*which).execution_options(synchronize_session=False)  # type: ignore[arg-type]
    )
