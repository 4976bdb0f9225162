"""Where this database lives, and whether it still holds what was sent from it.

A database that was put back from a backup, or a replica that was promoted before it had everything, does
not know of mails that went out. Two things tell: what senders noted outside of it
(`digest/deliver/marks.py`), and of PostgreSQL that its server is another or has begun a new timeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import String, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.deliveries import DeliveryId
from digest.domain.issues import IssueId
from digest.store.base import Base
from digest.store.database import insert_or_ignore
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow

_ONLY = 1


class HomeRow(Base):
    """The one row: what this database is called, and the place it was last sent from, '' before."""

    __tablename__ = "homes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    identity: Mapped[str] = mapped_column(String(36))
    place: Mapped[str] = mapped_column(String(200))


@dataclass(frozen=True, slots=True)
class Home:
    """`identity` is the same in every copy of one database, and another in any other."""

    identity: str
    place: str


@dataclass(frozen=True, slots=True)
class Armed:
    """A delivery that was armed, and with which fence: a database that holds less is older."""

    delivery: DeliveryId
    issue: IssueId
    fence: int
    message_id: str


def find_home(session: Session) -> Home | None:
    """Return where the database lives, None when nobody has said so yet."""
    row = session.get(HomeRow, _ONLY, populate_existing=True)
    return None if row is None else Home(row.identity, row.place)


def settle_in(session: Session, place: str) -> Home:
    """Note that the database lives at `place` from now on; its identity stays."""
    session.execute(
        insert_or_ignore(session, HomeRow, [{"id": _ONLY, "identity": str(uuid4()), "place": ""}])
    )
    session.execute(update(HomeRow).where(HomeRow.id == _ONLY).values(place=place))
    home = find_home(session)
    assert home is not None
    return home


def place_of(session: Session) -> str:
    """Return which PostgreSQL server and timeline this is, `7312…/16384/00000003`; '' where nobody can tell.

    A promotion and a restore to a moment each begin a new timeline; a dump that is read elsewhere makes a
    database of another number. SQLite has no such thing.
    """
    if session.get_bind().dialect.name != "postgresql":
        return ""
    try:
        with session.begin_nested():
            return str(session.scalar(text(_PLACE)) or "")
    except DBAPIError:
        return ""  # a role or a service that may not know


_PLACE = """
SELECT (SELECT system_identifier FROM pg_control_system())
    || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
    || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
"""


def holds_any(session: Session, armed: Sequence[Armed], *, armed_at: datetime) -> bool:
    """Return whether the database knows that at least one of these was armed at that moment.

    They were armed in one transaction, so one tells of all; several are asked for because a reader's row may
    have been removed since. So may the whole issue have been: then its number has been given.
    """
    rows = session.execute(
        select(DeliveryRow.id, DeliveryRow.message_id, DeliveryRow.fence, DeliveryRow.armed_at).where(
            DeliveryRow.id.in_([one.delivery for one in armed])
        )
    )
    found = {row.id: row for row in rows}
    for one in armed:
        row = found.get(one.delivery)
        if row is None or row.message_id != one.message_id:
            continue
        is_known = row.armed_at is not None and row.armed_at >= armed_at
        if row.fence > one.fence or (row.fence == one.fence and is_known):
            return True
    return not found and all(_is_removed(session, issue) for issue in {one.issue for one in armed})


def _is_removed(session: Session, issue: IssueId) -> bool:
    """Whether an issue of this number was there once and was removed with its newsletter."""
    return session.get(IssueRow, issue) is None and _issues_given(session) >= issue


def _issues_given(session: Session) -> int:
    if session.get_bind().dialect.name == "postgresql":
        asked = "SELECT last_value FROM pg_sequences WHERE sequencename = 'issues_id_seq'"
    else:
        asked = "SELECT seq FROM sqlite_sequence WHERE name = 'issues'"
    return int(session.scalar(text(asked)) or session.scalar(select(func.max(IssueRow.id))) or 0)
