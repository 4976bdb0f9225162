"""Tokens of the API: who may come in, told by the hash of a secret."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.accounts import Account, AccountId, Right
from digest.domain.api_tokens import Allowance, ApiToken, TokenId, hashed, hint_of, new_secret
from digest.domain.errors import NotFound
from digest.store.accounts import AccountRow, account_of
from digest.store.base import NEVER_AGAIN, Base, BigId, storable

_NOTED_EVERY = timedelta(minutes=1)
"""A use is noted no more often: a write for each request would cost more than most of them."""


class TokenRow(Base):
    """A token. `hash` is the SHA-256 of its secret, `rights` their names with commas between.

    `pace_left` is how many requests it had left at `pace_at`, None for both before any was written down.
    """

    __tablename__ = "api_tokens"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(16))
    rights: Mapped[str] = mapped_column(String(100))
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    pace_left: Mapped[float | None]
    pace_at: Mapped[datetime | None]


def add_token(
    session: Session,
    *,
    name: str,
    rights: frozenset[Right],
    by: str,
    now: datetime,
    expires_at: datetime | None,
    account_id: AccountId | None = None,
) -> tuple[ApiToken, str]:
    """Make a token; return it and its secret, which is kept nowhere and cannot be told again."""
    secret = new_secret()
    row = TokenRow(
        name=storable(name),
        hash=hashed(secret),
        hint=hint_of(secret),
        rights=",".join(sorted(rights)),
        made_by=storable(by),
        made_at=now,
        expires_at=expires_at,
        account_id=account_id,
    )
    session.add(row)
    session.flush()
    return _token(row), secret


def find_token(session: Session, secret: str) -> ApiToken | None:
    """Return the token of this secret, also one that has expired; None when there is none."""
    row = session.scalar(select(TokenRow).where(TokenRow.hash == hashed(secret)))
    return None if row is None else _token(row)


def owner_of(session: Session, token: ApiToken) -> Account | None:
    """Return the account a token belongs to, None for one that belongs to the installation."""
    row = None if token.account_id is None else session.get(AccountRow, token.account_id)
    return None if row is None else account_of(row)


def list_tokens(session: Session, *, of: AccountId | None = None) -> tuple[ApiToken, ...]:
    """Return every token, or those of one account, also those that have expired, the oldest first."""
    query = select(TokenRow).order_by(TokenRow.id)
    return tuple(
        map(_token, session.scalars(query if of is None else query.where(TokenRow.account_id == of)))
    )


def get_token(session: Session, token_id: int) -> ApiToken:
    """Return a token. Raises `NotFound`."""
    row = session.get(TokenRow, token_id)
    if row is None:
        raise NotFound(f"no token {token_id}: 'digest token list' shows those there are")
    return _token(row)


def is_use_to_be_noted(token: ApiToken, now: datetime) -> bool:
    """Tell whether `note_use` would note anything, so that whoever only looks needs no write."""
    return token.last_used_at is None or now - token.last_used_at >= _NOTED_EVERY


def note_use(session: Session, token_id: TokenId, *, now: datetime) -> None:
    """Note when a token was last used, to a minute."""
    session.execute(
        update(TokenRow)
        .where(
            TokenRow.id == token_id,
            or_(TokenRow.last_used_at.is_(None), TokenRow.last_used_at <= now - _NOTED_EVERY),
        )
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


def spend(
    session: Session, token_id: TokenId, requests: int, *, per_minute: int, now: datetime
) -> Allowance | None:
    """Write down requests that a token made, and return what is left; None for one that is gone."""
    row = session.get(TokenRow, token_id, with_for_update={"key_share": True})
    if row is None:
        return None
    known = _allowance(row)
    row.pace_left = (known.at_instant(now, per_minute) if known else float(per_minute)) - requests
    # Another process's clock may be a little ahead.
    row.pace_at = max(now, known.at) if known else now
    return _allowance(row)


def remove_token(session: Session, token_id: int) -> ApiToken:
    """Have a token open nothing from now on; return what it was. Raises `NotFound`."""
    row = session.scalar(delete(TokenRow).where(TokenRow.id == token_id).returning(TokenRow))
    if row is None:
        raise NotFound(f"no token {token_id}: 'digest token list' shows those there are")
    return _token(row)


def _token(row: TokenRow) -> ApiToken:
    return ApiToken(
        id=TokenId(row.id),
        name=row.name,
        hint=row.hint,
        rights=frozenset(map(Right, row.rights.split(","))),
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        account_id=None if row.account_id is None else AccountId(row.account_id),
        allowance=_allowance(row),
    )


def _allowance(row: TokenRow) -> Allowance | None:
    return None if row.pace_left is None or row.pace_at is None else Allowance(row.pace_left, row.pace_at)
