"""Links by which somebody comes in once without a password, such as the first admin or the invited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.accounts import Account, AccountId
from digest.store.accounts import AccountRow, account_of
from digest.store.base import Base, storable


class EntryLinkRow(Base):
    """A link, by the hash of its token. Without an account it makes the first one.

    `is_own` says that somebody asked for it at the door with the account's address.
    """

    __tablename__ = "entry_links"
    __table_args__ = (UniqueConstraint("account_id", "is_own", name="uq_entry_links_account_id"),)

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    is_own: Mapped[bool] = mapped_column(default=False, server_default=false())


@dataclass(frozen=True, slots=True)
class EntryLink:
    """Whom a link lets in: an account, or with None whoever makes the first one."""

    account: Account | None
    expires_at: datetime


def put_link(
    session: Session,
    account_id: AccountId | None,
    token: str,
    *,
    by: str,
    now: datetime,
    expires_at: datetime,
    is_own: bool = False,
) -> None:
    """Store a link by the hash of its token. An earlier one for the same opens nothing any more.

    One that `is_own` ends only others of its kind: whoever asks at the door with somebody else's address must
    not end the link that an admin gave them.
    """
    earlier = delete(EntryLinkRow).where(EntryLinkRow.account_id.is_not_distinct_from(account_id))
    session.execute(earlier.where(EntryLinkRow.is_own) if is_own else earlier)
    session.add(
        EntryLinkRow(
            token=token,
            account_id=account_id,
            made_by=storable(by),
            made_at=now,
            expires_at=expires_at,
            is_own=is_own,
        )
    )
    session.flush()


def find_link(session: Session, token: str, *, now: datetime) -> EntryLink | None:
    """Return what the link of this token's hash opens, None when it was used, replaced or is too old."""
    found = session.execute(
        select(EntryLinkRow, AccountRow)
        .outerjoin(AccountRow, AccountRow.id == EntryLinkRow.account_id)
        .where(EntryLinkRow.token == token, EntryLinkRow.expires_at > now)
    ).one_or_none()
    if found is None:
        return None
    return EntryLink(account_of(found[1]) if found[1] else None, found[0].expires_at)


def claim_link(session: Session, token: str, account_id: AccountId | None, *, now: datetime) -> bool:
    """Use a link up; return whether it was there. Of two who come at once one is told that it was not.

    Of those for the first account all are used up together: two of them cannot make two first accounts.
    """
    gone = (
        delete(EntryLinkRow)
        .where(EntryLinkRow.account_id.is_not_distinct_from(account_id))
        .returning(EntryLinkRow.token, EntryLinkRow.expires_at)
    )
    return any(row.token == token and row.expires_at > now for row in session.execute(gone).all())
