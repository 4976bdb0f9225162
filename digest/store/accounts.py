"""Accounts: who may sign in, and as what."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from sqlalchemy import String, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.accounts import Account, AccountId, Role
from digest.domain.errors import Conflict, NotFound
from digest.domain.subscribers import email_key
from digest.store.base import NEVER_AGAIN, Base, BigId
from digest.store.database import insert_or_ignore


class AccountRow(Base):
    """An account. `name_key` is what names share that nobody tells apart; `password` is a hash or ''."""

    __tablename__ = "accounts"
    # Records of what an account did keep its number when it is gone.
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(String(800), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(16), default="en", server_default="en")


def name_key(name: str) -> str:
    """Return what two spellings of one name share: widths and cases of letters, ways to write an accent."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def add_account(
    session: Session,
    email: str,
    *,
    name: str,
    role: Role,
    by: str,
    now: datetime,
    password: str = "",
    language: str = "en",
) -> Account:
    """Store an account. `password` is its hash. Raises `Conflict` when address or name are taken."""
    row = {
        "email": email,
        "email_key": email_key(email),
        "name": name,
        "name_key": name_key(name),
        "role": role.value,
        "password": password,
        "created_at": now,
        "created_by": by,
        "language": language,
    }
    added = session.scalar(insert_or_ignore(session, AccountRow, [row]).returning(AccountRow))
    if added is None:
        is_address = find_account(session, email) is not None
        taken = f"the address {email}" if is_address else f"the name '{name}'"
        raise Conflict(f"there is an account with {taken} already: 'digest account list' shows all")
    return account_of(added)


def find_account(session: Session, email: str) -> Account | None:
    """Return the account of an address, None when there is none."""
    row = session.scalar(select(AccountRow).where(AccountRow.email_key == email_key(email)))
    return None if row is None else account_of(row)


def get_account(session: Session, email: str, *, to_change: bool = False) -> Account:
    """Return the account of an address, with `to_change` locked. Raises `NotFound`."""
    found = select(AccountRow).where(AccountRow.email_key == email_key(email))
    row = session.scalar(found.with_for_update() if to_change else found)
    if row is None:
        raise NotFound(f"no account '{email}': 'digest account list' shows all")
    return account_of(row)


def account_by_id(session: Session, account_id: int) -> Account:
    """Return an account by its number. Raises `NotFound`."""
    row = session.get(AccountRow, account_id)
    if row is None:
        raise NotFound(f"there is no account {account_id} any more: load the page of accounts again")
    return account_of(row)


def list_accounts(session: Session) -> tuple[Account, ...]:
    """Return all accounts, by name."""
    return tuple(map(account_of, session.scalars(select(AccountRow).order_by(AccountRow.name_key))))


def has_accounts(session: Session) -> bool:
    """Tell whether anybody at all may sign in."""
    return session.scalar(select(AccountRow.id).limit(1)) is not None


def password_of(session: Session, account_id: AccountId) -> str:
    """Return the hash of an account's password, '' when it has none or is gone."""
    return session.scalar(select(AccountRow.password).where(AccountRow.id == account_id)) or ""


def set_password(session: Session, account_id: AccountId, password: str, *, was: str | None = None) -> bool:
    """Store the hash of a password, where it `was` another only over that; return whether that was done."""
    change = update(AccountRow).where(AccountRow.id == account_id).values(password=password)
    if was is not None:
        change = change.where(AccountRow.password == was)
    return session.scalar(change.returning(AccountRow.id)) is not None


def change_role(session: Session, account: Account, role: Role) -> None:
    """Let an account be something else. Raises `Conflict` for the last admin, `NotFound` when it is gone."""
    if role is not Role.ADMIN:
        _require_another_admin(session, account)
    change = update(AccountRow).where(AccountRow.id == account.id).values(role=role.value)
    if session.scalar(change.returning(AccountRow.id)) is None:
        raise NotFound(f"the account {account.email} is not there any more")


def change_language(session: Session, account: Account, language: str) -> None:
    """Let mails to an account be in another language. Raises `NotFound` when it is gone."""
    change = update(AccountRow).where(AccountRow.id == account.id).values(language=language)
    if session.scalar(change.returning(AccountRow.id)) is None:
        raise NotFound(f"the account {account.email} is not there any more")


def remove_account(session: Session, account: Account) -> None:
    """Remove an account, and with it its sessions. What it did stays written down.

    Raises `Conflict` for the last admin, `NotFound` when it is gone.
    """
    _require_another_admin(session, account)
    gone = delete(AccountRow).where(AccountRow.id == account.id)
    if session.scalar(gone.returning(AccountRow.id)) is None:
        raise NotFound(f"the account {account.email} is not there any more")


def _require_another_admin(session: Session, account: Account) -> None:
    """Raise `Conflict` for the only admin. Two who remove each other wait here, and the second is refused."""
    admins = session.scalars(
        select(AccountRow.id).where(AccountRow.role == Role.ADMIN).order_by(AccountRow.id).with_for_update()
    ).all()
    if list(admins) == [account.id]:
        raise Conflict(
            f"{account.email} is the only admin, and somebody must be: make another account an admin first"
        )


def account_of(row: AccountRow) -> Account:
    """Return a row as a value."""
    return Account(
        id=AccountId(row.id),
        email=row.email,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        created_by=row.created_by,
        has_password=bool(row.password),
        language=row.language,
    )
