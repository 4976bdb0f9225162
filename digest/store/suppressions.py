"""The list of addresses never to be mailed: asked, looked at and changed. What was taken off is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import String, Text, delete, exists, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import NotFound
from digest.domain.issues import IssueId
from digest.domain.subscribers import email_key
from digest.domain.suppressions import Removal, Suppression
from digest.store.base import Base, BigId, storable
from digest.store.database import insert_or_ignore

PAGE = 1_000
"""How many are read or stored at once."""


class SuppressionRow(Base):
    """An address never to be mailed, and why.

    The issue has no foreign key: an address stays suppressed when its newsletter is removed.
    """

    __tablename__ = "suppressions"

    email_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    issue_id: Mapped[int | None]
    by: Mapped[str] = mapped_column(String(200), server_default="")


class RemovalRow(Base):
    """A suppression that was taken off the list. Never changed."""

    __tablename__ = "suppression_removals"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email_key: Mapped[str] = mapped_column(String(320), index=True)
    reason: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(Text)
    issue_id: Mapped[int | None]
    suppressed_at: Mapped[datetime]
    suppressed_by: Mapped[str] = mapped_column(String(200))
    removed_at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)


def suppress(
    session: Session,
    email: str,
    *,
    reason: str,
    detail: str,
    now: datetime,
    issue_id: int | None = None,
    by: str = "",
) -> bool:
    """Never mail this address again; return whether that is new. Known already: nothing changes.

    Workers and what reads bounces may do this for one address at the same moment.
    """
    row = {
        "email_key": email_key(email),
        "reason": reason,
        "detail": storable(detail),
        "created_at": now,
        "issue_id": issue_id,
        "by": storable(by),
    }
    added = insert_or_ignore(session, SuppressionRow, [row]).returning(SuppressionRow.email_key)
    return session.scalar(added) is not None


def is_suppressed(session: Session, email: str) -> bool:
    """Return whether this address is never to be mailed."""
    return bool(session.scalar(select(exists().where(SuppressionRow.email_key == email_key(email)))))


def find_suppression(session: Session, email: str) -> Suppression | None:
    """Return why an address is never mailed, or None when it may be."""
    row = session.get(SuppressionRow, email_key(email), populate_existing=True)
    return None if row is None else _suppression(row)


def list_suppressions(
    session: Session, *, limit: int, after: str = "", reason: str = "", prefix: str = ""
) -> tuple[Suppression, ...]:
    """Return up to `limit` suppressions by address, those after the address `after`.

    Only those for `reason`, and that begin with `prefix`, where these are given.
    """
    query = select(SuppressionRow).where(SuppressionRow.email_key > email_key(after))
    if beginning := email_key(prefix):
        # The key leads to where they begin; what they are like is asked of those alone.
        query = query.where(
            SuppressionRow.email_key >= beginning,
            SuppressionRow.email_key.startswith(beginning, autoescape=True),
        )
    if reason:
        query = query.where(SuppressionRow.reason == reason)
    rows = session.scalars(query.order_by(SuppressionRow.email_key).limit(limit))
    return tuple(map(_suppression, rows))


def every_suppression(session: Session) -> Iterator[Suppression]:
    """Yield the whole list by address, a page at a time."""
    last = ""
    while page := list_suppressions(session, limit=PAGE, after=last):
        yield from page
        last = page[-1].email
        session.expunge_all()


def count_suppressions(session: Session) -> int:
    """Return how many addresses are never mailed."""
    return session.scalar(select(func.count()).select_from(SuppressionRow)) or 0


def suppress_all(session: Session, wanted: Sequence[Suppression]) -> int:
    """Put a page of addresses on the list; return how many are new. The others stay as they are."""
    rows = [
        {
            "email_key": email_key(one.email),
            "reason": one.reason,
            "detail": storable(one.detail),
            "created_at": one.since,
            "issue_id": one.issue_id,
            "by": storable(one.by),
        }
        for one in wanted
    ]
    if not rows:
        return 0
    added = insert_or_ignore(session, SuppressionRow).returning(SuppressionRow.email_key)
    return len(session.scalars(added, rows).all())


def remove_suppression(session: Session, email: str, *, by: str, why: str, now: datetime) -> Removal:
    """Let an address be mailed again, and write down who wanted that and why. Raises `NotFound`."""
    found = find_suppression(session, email)
    gone = delete(SuppressionRow).where(SuppressionRow.email_key == email_key(email))
    if found is None or session.scalar(gone.returning(SuppressionRow.email_key)) is None:
        raise NotFound(f"'{email}' is not suppressed: 'digest suppression list' shows who is")
    removal = Removal(found, now, storable(by), storable(why))
    session.add(
        RemovalRow(
            email_key=found.email,
            reason=found.reason,
            detail=found.detail,
            issue_id=found.issue_id,
            suppressed_at=found.since,
            suppressed_by=found.by,
            removed_at=now,
            by=removal.by,
            why=removal.why,
        )
    )
    return removal


def removals_of(session: Session, email: str) -> tuple[Removal, ...]:
    """Return how often an address was taken off the list, oldest first."""
    rows = session.scalars(
        select(RemovalRow).where(RemovalRow.email_key == email_key(email)).order_by(RemovalRow.id)
    )
    return tuple(map(_removal, rows))


def _suppression(row: SuppressionRow) -> Suppression:
    issue_id = None if row.issue_id is None else IssueId(row.issue_id)
    return Suppression(row.email_key, row.reason, row.detail, row.created_at, issue_id, row.by)


def _removal(row: RemovalRow) -> Removal:
    issue_id = None if row.issue_id is None else IssueId(row.issue_id)
    then = Suppression(row.email_key, row.reason, row.detail, row.suppressed_at, issue_id, row.suppressed_by)
    return Removal(then, row.removed_at, row.by, row.why)
