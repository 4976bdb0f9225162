"""A second factor: a phone that proves to be there, asked for when the password was right."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.admit.passwords import is_right
from digest.admit.steps import Place, SignedIn, begin_session, end_session
from digest.admit.totp import kept_recovery, new_recovery_codes, new_secret, step_of
from digest.domain.accounts import Account, AccountId
from digest.domain.errors import Conflict, InvalidInput, NotFound
from digest.store.accounts import account_by_id, get_account, password_of
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.second_factors import (
    SecondFactor,
    drop_factor,
    find_factor,
    propose_factor,
    put_recovery_codes,
    use_recovery_code,
    use_step,
)

HALF_WITHIN = timedelta(minutes=5)
"""How long a password that was right waits for its code."""


@dataclass(frozen=True, slots=True)
class Half:
    """Somebody whose password was right, and who still has to prove their phone."""

    account: Account
    token: str


def half_of(engine: Engine, key: bytes, account: Account, *, now: datetime) -> Half:
    """Return what stands for a right password until its code comes. It opens nothing by itself."""
    with reading(engine) as session:
        hashed = password_of(session, account.id)
    until = int((now + HALF_WITHIN).timestamp())
    return Half(account, f"{account.id}.{until}.{_mark(key, account.id, until, hashed)}")


def read_half(engine: Engine, key: bytes, token: str, *, now: datetime) -> Half | None:
    """Return who a token of `half_of` stands for; None when it is forged or late, or the password another."""
    number, _, rest = token[:200].partition(".")
    until, _, mark = rest.partition(".")
    if not (_is_number(number) and _is_number(until)) or int(until) <= now.timestamp():
        return None
    with reading(engine) as session:
        try:
            account = account_by_id(session, int(number))
        except NotFound:
            return None
        hashed = password_of(session, account.id)
    right = _mark(key, account.id, int(until), hashed)
    return Half(account, token) if hmac.compare_digest(right.encode(), mark.encode()) else None


def _mark(key: bytes, account_id: AccountId, until: int, hashed: str) -> str:
    return hmac.digest(key, f"half\0{account_id}\0{until}\0{hashed}".encode(), "sha256").hex()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 12


def finish(
    engine: Engine, half: Half, typed: str, *, place: Place, now: datetime, before: str = ""
) -> str | None:
    """Begin a session when the phone's code or a recovery code is right; None when it is not, or was used."""
    with writing(engine) as session:
        factor = find_factor(session, half.account.id)
        if factor is not None and factor.since is not None:
            by_phone = _is_phones(session, half.account.id, factor, typed, now)
            if not by_phone and not use_recovery_code(session, half.account.id, kept_recovery(typed)):
                return None
            if not by_phone:
                _record(session, half.account, "account.recovery_code_used", now)
        end_session(session, before, now)
        return begin_session(session, half.account, place, now)


def _is_phones(
    session: Session, account_id: AccountId, factor: SecondFactor, typed: str, now: datetime
) -> bool:
    step = step_of(factor.secret, typed, now=now)
    return step is not None and use_step(session, account_id, factor.secret, step)


def propose(engine: Engine, who: SignedIn) -> None:
    """Make a secret for a phone to take; it counts once the phone has proved that it has it."""
    with writing(engine) as session:
        propose_factor(session, who.actor.account_id, new_secret())


def confirm(engine: Engine, who: SignedIn, typed: str, *, now: datetime) -> tuple[str, ...]:
    """Have the proposed secret count, by a code of it; return recovery codes, which are shown only now.

    Raises `InvalidInput` for a wrong code, `Conflict` when nothing was proposed.
    """
    with writing(engine) as session:
        account = get_account(session, who.email)
        factor = find_factor(session, account.id)
        if factor is None or factor.since is not None:
            raise Conflict("there is no picture to confirm any more: load the page again")
        step = step_of(factor.secret, typed, now=now)
        if step is None or not use_step(session, account.id, factor.secret, step, begin=now):
            raise InvalidInput("that is not the code your app shows now; nothing was changed")
        codes = _new_codes(session, account.id)
        _record(session, account, "account.second_factor_added", now)
    return codes


def renew_codes(engine: Engine, who: SignedIn, password: str, *, now: datetime) -> tuple[str, ...]:
    """Return new recovery codes in place of those left. Raises `InvalidInput` for a wrong password."""
    account = _owner(engine, who, password)
    with writing(engine) as session:
        factor = find_factor(session, account.id)
        if factor is None or factor.since is None:
            raise Conflict("your account asks for no code, so there is nothing to recover")
        codes = _new_codes(session, account.id)
        _record(session, account, "account.recovery_codes_made", now)
    return codes


def give_up(engine: Engine, who: SignedIn, password: str, *, now: datetime) -> None:
    """Let one's own password be enough again. Raises `InvalidInput` for a wrong one."""
    account = _owner(engine, who, password)
    with writing(engine) as session:
        forget_phone(session, account, by=account.name, account_id=account.id, now=now)


def forget_phone(
    session: Session, account: Account, *, by: str, now: datetime, account_id: AccountId | None = None
) -> bool:
    """Let an account's password be enough again, and write that down; return whether it was not before."""
    asked = drop_factor(session, account.id)
    if asked:
        record(
            session,
            by=by,
            account_id=account_id,
            what="account.second_factor_removed",
            about=account.email,
            now=now,
        )
    return asked


def _owner(engine: Engine, who: SignedIn, password: str) -> Account:
    with reading(engine) as session:
        account = get_account(session, who.email)
        hashed = password_of(session, account.id)
    if not is_right(hashed, password):
        raise InvalidInput("that is not your password; nothing was changed")
    return account


def _new_codes(session: Session, account_id: AccountId) -> tuple[str, ...]:
    codes = new_recovery_codes()
    put_recovery_codes(session, account_id, map(kept_recovery, codes))
    return codes


def _record(session: Session, account: Account, what: str, now: datetime) -> None:
    record(session, by=account.name, account_id=account.id, what=what, about=account.email, now=now)
