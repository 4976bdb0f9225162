"""The marks of those who were erased: nobody brings them back but they themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import String, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.erasing import ASKED_AGAIN_AFTER, ErasureKeys
from digest.domain.subscribers import SubscriptionState, email_key
from digest.store.base import Base
from digest.store.database import insert_or_replace
from digest.store.subscribers import SubscriberRow, SubscriptionRow


class ErasureRow(Base):
    """Somebody who was erased, by the mark of their address; `key` is the name of what it was made with.

    `asked_at` is when a sign-up form last asked them to confirm that it was they who filled it in.
    """

    __tablename__ = "erasures"

    mark: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(8))
    erased_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]


def remember_erased(session: Session, keys: ErasureKeys, email: str, *, now: datetime) -> None:
    """Keep the mark of an address that is being erased, and none by an older key."""
    forget_erased(session, keys, email)
    row = {"mark": keys.mark(email), "key": keys.names[0], "erased_at": now, "asked_at": None}
    insert_or_replace(session, ErasureRow, row)


def is_erased(session: Session, keys: ErasureKeys, email: str) -> bool:
    """Tell whether an address was erased, and its owner did not come back since."""
    return bool(erased_among(session, keys, (email,)))


def erased_among(session: Session, keys: ErasureKeys, emails: Collection[str]) -> frozenset[str]:
    """Return those of a page of addresses that were erased, in lower case.

    Whoever subscribes again and has confirmed it, if they were asked to, is none of them.
    """
    by_mark = {mark: email_key(email) for email in emails for mark in keys.marks(email)}
    if not by_mark or session.scalar(select(ErasureRow.mark).limit(1)) is None:
        return frozenset()
    found = session.scalars(select(ErasureRow.mark).where(ErasureRow.mark.in_(list(by_mark))))
    erased = frozenset(by_mark[mark] for mark in found)
    return erased - _back_among(session, erased) if erased else erased


def _back_among(session: Session, keys: Collection[str]) -> frozenset[str]:
    back = (
        select(SubscriberRow.email_key)
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .where(SubscriberRow.email_key.in_(keys), SubscriptionRow.state != SubscriptionState.PENDING.value)
    )
    return frozenset(session.scalars(back))


def may_be_asked(session: Session, keys: ErasureKeys, email: str, *, now: datetime) -> bool:
    """Tell whether a sign-up form may ask this address to confirm, and count that it does.

    Everybody may who was not erased. Who was is asked once in `ASKED_AGAIN_AFTER`, whoever fills it in.
    """
    if not is_erased(session, keys, email):
        return True
    asked = session.scalar(
        update(ErasureRow)
        .where(
            ErasureRow.mark.in_(keys.marks(email)),
            or_(ErasureRow.asked_at.is_(None), ErasureRow.asked_at <= now - ASKED_AGAIN_AFTER),
        )
        .values(asked_at=now)
        .returning(ErasureRow.mark)
        .execution_options(synchronize_session=False)
    )
    return asked is not None


def forget_erased(session: Session, keys: ErasureKeys, email: str) -> bool:
    """Forget that an address was erased, as its owner came back; return whether it was."""
    gone = delete(ErasureRow).where(ErasureRow.mark.in_(keys.marks(email))).returning(ErasureRow.mark)
    return session.scalar(gone.execution_options(synchronize_session=False)) is not None


def count_unknowable(session: Session, keys: ErasureKeys) -> int:
    """Return how many marks none of the keys made: nobody knows any more whose they are."""
    strange = select(func.count()).where(ErasureRow.key.not_in(keys.names))
    return session.scalar(strange) or 0
