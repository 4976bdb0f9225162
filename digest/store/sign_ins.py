"""Sessions of those who are signed in, each known by the hash of its token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from sqlalchemy import ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.accounts import Account, AccountId
from digest.store.accounts import AccountRow, account_of
from digest.store.base import NEVER_AGAIN, Base, BigId, storable

SignInId = NewType("SignInId", int)

_FORGOTTEN_AT_ONCE = 100


class SignInRow(Base):
    """A session. It ends at `ends_at` unless it is used before."""

    __tablename__ = "sign_ins"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str] = mapped_column(String(200))
    network: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session: whose, on which `device` (a browser and its system, in words), from which address."""

    id: SignInId
    account: Account
    device: str
    network: str
    started_at: datetime
    seen_at: datetime
    ends_at: datetime


def start_sign_in(
    session: Session,
    account_id: AccountId,
    token: str,
    *,
    device: str,
    network: str,
    now: datetime,
    ends_at: datetime,
) -> SignInId:
    """Store a session by the hash of its `token`, and forget some that have ended."""
    old = select(SignInRow.id).where(SignInRow.ends_at <= now).limit(_FORGOTTEN_AT_ONCE)
    session.execute(
        delete(SignInRow).where(SignInRow.id.in_(old)), execution_options={"synchronize_session": False}
    )
    row = SignInRow(
        account_id=account_id,
        token=token,
        device=storable(device)[:200],
        network=network,
        started_at=now,
        seen_at=now,
        ends_at=ends_at,
    )
    session.add(row)
    session.flush()
    return SignInId(row.id)


def find_sign_in(session: Session, token: str, *, now: datetime) -> SignIn | None:
    """Return the session whose token has this hash, None when there is none or it has ended."""
    found = session.execute(
        select(SignInRow, AccountRow)
        .join(AccountRow, AccountRow.id == SignInRow.account_id)
        .where(SignInRow.token == token, SignInRow.ends_at > now)
    ).one_or_none()
    return None if found is None else _sign_in(found[0], found[1])


def list_sign_ins(session: Session, account_id: AccountId, *, now: datetime) -> tuple[SignIn, ...]:
    """Return an account's sessions that have not ended, the last used first."""
    rows = session.execute(
        select(SignInRow, AccountRow)
        .join(AccountRow, AccountRow.id == SignInRow.account_id)
        .where(SignInRow.account_id == account_id, SignInRow.ends_at > now)
        .order_by(SignInRow.seen_at.desc(), SignInRow.id.desc())
    )
    return tuple(_sign_in(row[0], row[1]) for row in rows)


def see_again(session: Session, sign_in_id: SignInId, *, now: datetime, ends_at: datetime) -> None:
    """Note that a session was used. One that was ended meanwhile stays ended."""
    session.execute(update(SignInRow).where(SignInRow.id == sign_in_id).values(seen_at=now, ends_at=ends_at))


def end_sign_in(session: Session, sign_in_id: SignInId, account_id: AccountId) -> bool:
    """End one session of an account; return whether it was there."""
    gone = delete(SignInRow).where(SignInRow.id == sign_in_id, SignInRow.account_id == account_id)
    return session.scalar(gone.returning(SignInRow.id)) is not None


def end_sign_ins(session: Session, account_id: AccountId, *, but: SignInId | None = None) -> int:
    """End all sessions of an account, `but` perhaps one; return how many."""
    gone = delete(SignInRow).where(SignInRow.account_id == account_id)
    if but is not None:
        gone = gone.where(SignInRow.id != but)
    return len(session.scalars(gone.returning(SignInRow.id)).all())


def _sign_in(row: SignInRow, account: AccountRow) -> SignIn:
    return SignIn(
        id=SignInId(row.id),
        account=account_of(account),
        device=row.device,
        network=row.network,
        started_at=row.started_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
    )
