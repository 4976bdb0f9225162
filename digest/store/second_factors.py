"""Second factors: the secret an account's phone has, and what is left of its recovery codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.accounts import AccountId
from digest.store.base import Base
from digest.store.database import insert_or_replace


class SecondFactorRow(Base):
    """A phone's secret. It counts from `since` on; before, nobody has proved that a phone has it."""

    __tablename__ = "second_factors"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    secret: Mapped[str] = mapped_column(String(64))
    last_step: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[datetime | None]


class RecoveryCodeRow(Base):
    """A recovery code that was not used yet, by its hash."""

    __tablename__ = "recovery_codes"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    code: Mapped[str] = mapped_column(String(64), primary_key=True)


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A phone's secret, in base32; `since` is None until it was proved that a phone has it."""

    secret: str
    since: datetime | None
    codes_left: int


def find_factor(session: Session, account_id: AccountId) -> SecondFactor | None:
    """Return an account's second factor, also one that does not count yet; None when it has none."""
    row = session.get(SecondFactorRow, account_id, populate_existing=True)
    if row is None:
        return None
    left = session.scalar(select(func.count()).where(RecoveryCodeRow.account_id == account_id)) or 0
    return SecondFactor(row.secret, row.since, left)


def has_factor(session: Session, account_id: AccountId) -> bool:
    """Tell whether an account is asked for more than its password."""
    counts = SecondFactorRow.account_id == account_id, SecondFactorRow.since.is_not(None)
    return session.scalar(select(SecondFactorRow.account_id).where(*counts)) is not None


def accounts_with_factor(session: Session) -> frozenset[AccountId]:
    """Return the accounts whose second factor counts."""
    found = select(SecondFactorRow.account_id).where(SecondFactorRow.since.is_not(None))
    return frozenset(map(AccountId, session.scalars(found)))


def propose_factor(session: Session, account_id: AccountId, secret: str) -> None:
    """Store a secret that does not count yet. One that counts already stays as it is."""
    held = session.get(SecondFactorRow, account_id, with_for_update=True)
    if held is None or held.since is None:
        row = {"account_id": account_id, "secret": secret, "last_step": 0, "since": None}
        insert_or_replace(session, SecondFactorRow, row)


def use_step(
    session: Session, account_id: AccountId, secret: str, step: int, *, begin: datetime | None = None
) -> bool:
    """Use up the code of a step and all before; return whether none of them was used.

    With `begin` it is the one that proves the phone, and the factor counts from then on.
    """
    change = (
        update(SecondFactorRow)
        .where(
            SecondFactorRow.account_id == account_id,
            SecondFactorRow.secret == secret,
            SecondFactorRow.last_step < step,
            SecondFactorRow.since.is_(None) if begin else SecondFactorRow.since.is_not(None),
        )
        .values(last_step=step, **({"since": begin} if begin else {}))
        .returning(SecondFactorRow.account_id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(change) is not None


def use_recovery_code(session: Session, account_id: AccountId, code: str) -> bool:
    """Use up a recovery code, by its hash; return whether it was there."""
    gone = delete(RecoveryCodeRow).where(
        RecoveryCodeRow.account_id == account_id, RecoveryCodeRow.code == code
    )
    return session.scalar(gone.returning(RecoveryCodeRow.code)) is not None


def put_recovery_codes(session: Session, account_id: AccountId, codes: Iterable[str]) -> None:
    """Store new recovery codes, by their hashes, in place of those left."""
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.account_id == account_id))
    session.add_all(RecoveryCodeRow(account_id=account_id, code=code) for code in codes)
    session.flush()


def drop_factor(session: Session, account_id: AccountId) -> bool:
    """Let an account's password be enough again; return whether more was asked for."""
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.account_id == account_id))
    gone = delete(SecondFactorRow).where(SecondFactorRow.account_id == account_id)
    return session.scalar(gone.returning(SecondFactorRow.since)) is not None
