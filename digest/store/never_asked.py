"""The marks of mailboxes that want no mail of sign-ups: whoever types them in causes none."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import String, delete, exists, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.erasing import ErasureKeys
from digest.store.base import Base
from digest.store.database import insert_or_ignore


class NeverAskedRow(Base):
    """A mailbox by its mark, a keyed hash. Nobody can tell whose it is, but know it when it is typed in."""

    __tablename__ = "never_asked"

    mark: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


def mark_of(keys: ErasureKeys, mailbox: str) -> str:
    """Return the mark of a mailbox: another one than it has where it was erased."""
    return keys.mark(_told(mailbox))


def never_ask(session: Session, mark: str, *, now: datetime) -> None:
    """Let sign-ups of this mailbox cause no mail any more. Said again, it is said now."""
    session.execute(insert_or_ignore(session, NeverAskedRow, [{"mark": mark, "at": now}]))
    session.execute(update(NeverAskedRow).where(NeverAskedRow.mark == mark).values(at=now))


def ask_again(session: Session, mark: str) -> None:
    """Take that back."""
    session.execute(delete(NeverAskedRow).where(NeverAskedRow.mark == mark))


def is_never_asked(session: Session, mark: str) -> bool:
    """Tell whether sign-ups of this mailbox cause no mail."""
    return bool(session.scalar(select(exists().where(NeverAskedRow.mark == mark))))


def never_asked_among(session: Session, keys: ErasureKeys, mailboxes: Collection[str]) -> frozenset[str]:
    """Return those of a page of mailboxes that want no mail of sign-ups."""
    by_mark = {mark: mailbox for mailbox in mailboxes for mark in keys.marks(_told(mailbox))}
    found = session.scalars(select(NeverAskedRow.mark).where(NeverAskedRow.mark.in_(list(by_mark))))
    return frozenset(by_mark[mark] for mark in found)


def is_never_asked_since(session: Session, keys: ErasureKeys, mailbox: str, since: datetime) -> bool:
    """Tell whether a mailbox said so after `since`."""
    said = NeverAskedRow.mark.in_(list(keys.marks(_told(mailbox)))), NeverAskedRow.at > since
    return bool(session.scalar(select(exists().where(*said))))


def _told(mailbox: str) -> str:
    return f"sign-ups of {mailbox}"
