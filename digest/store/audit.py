"""The record of what people did: written in the transaction of the change itself, and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.accounts import AccountId
from digest.store.base import NEVER_AGAIN, Base, BigId, storable

ONE_SITTING = timedelta(minutes=15)
"""An editor's page saves by itself with every pause: a hundred entries would hide what else was done."""


class AuditRow(Base):
    """Something that was done. `account_id` stays when the account is gone; None for who had none."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_by_id", "by", "id"),
        Index("ix_audit_what_id", "what", "id"),
        Index("ix_audit_about", "about"),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
    account_id: Mapped[int | None] = mapped_column(BigId)
    what: Mapped[str] = mapped_column(String(64))
    about: Mapped[str] = mapped_column(String(400))
    detail: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done: `what` as `noun.verb` as in `issue.approved`, `about` which one."""

    id: int
    at: datetime
    by: str
    account_id: AccountId | None
    what: str
    about: str
    detail: str


def record(
    session: Session,
    *,
    by: str,
    what: str,
    about: str,
    now: datetime,
    detail: str = "",
    account_id: AccountId | None = None,
) -> None:
    """Write down what was done, in the transaction that does it: neither is there without the other.

    `what` is `noun.verb`, the verb in the past: `issue.approved`. `about` names the one it was done to. Never
    put a secret into `detail`.
    """
    session.add(
        AuditRow(
            at=now,
            by=storable(by)[:200],
            account_id=account_id,
            what=what,
            about=storable(about)[:400],
            detail=storable(detail),
        )
    )


def record_going_on(session: Session, *, by: str, what: str, about: str, now: datetime) -> None:
    """Write down what somebody goes on doing: one entry for what they do to one thing in `ONE_SITTING`."""
    newest = select(AuditRow).where(AuditRow.by == storable(by)[:200]).order_by(AuditRow.id.desc()).limit(1)
    last = session.scalar(newest)
    if last is None or (last.what, last.about) != (what, about) or now - last.at >= ONE_SITTING:
        record(session, by=by, what=what, about=about, now=now)


def list_entries(
    session: Session, *, limit: int, before: int | None = None, by: str = "", what: str = ""
) -> tuple[Entry, ...]:
    """Return up to `limit` entries, newest first: those older than entry `before`, by one person, of a kind.

    `what` is a noun for everything done to such a thing, or `noun.verb`.
    """
    query = select(AuditRow)
    if before is not None:
        query = query.where(AuditRow.id < before)
    if by:
        query = query.where(AuditRow.by == storable(by))
    if what := storable(what):
        # Of a noun there is no index: the newest of any kind are read until there are enough.
        is_kind = (
            AuditRow.what == what if "." in what else AuditRow.what.startswith(f"{what}.", autoescape=True)
        )
        query = query.where(is_kind)
    rows = session.scalars(query.order_by(AuditRow.id.desc()).limit(limit))
    return tuple(map(_entry, rows))


def _entry(row: AuditRow) -> Entry:
    account_id = None if row.account_id is None else AccountId(row.account_id)
    return Entry(row.id, row.at, row.by, account_id, row.what, row.about, row.detail)
