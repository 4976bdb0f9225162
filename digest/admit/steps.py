"""Signing in and out, and who it is that asks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.admit.passwords import choose, hash_password, is_outdated, is_right, prepare
from digest.admit.sessions import SEEN_AGAIN, csrf_of, ends_at, kept, new_token
from digest.domain.accounts import Account, Actor
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput, Overtaken, Unavailable
from digest.store.accounts import find_account, get_account, password_of, set_password
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.second_factors import has_factor
from digest.store.sign_ins import (
    SignIn,
    SignInId,
    end_sign_in,
    end_sign_ins,
    find_sign_in,
    see_again,
    start_sign_in,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody signs in from: the browser in words, and the address it came from."""

    device: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks, in which session, and what their forms must carry."""

    actor: Actor
    email: str
    session_id: SignInId
    token: str = field(repr=False)

    @property
    def csrf(self) -> str:
        """What a form of this session carries."""
        return csrf_of(self.token)


def sign_in(
    engine: Engine, *, email: str, password: str, place: Place, now: datetime, before: str = ""
) -> str | Account | None:
    """Begin a session and return its token; None when address and password do not belong together.

    The account comes back in place of a token when its phone has to prove to be there, too.
    Nothing tells which of the two was wrong, not even the time it takes. The token is always a new one; the
    session whose token was `before` ends.
    """
    with reading(engine) as session:
        account = find_account(session, email)
        hashed = password_of(session, account.id) if account else ""
    if not is_right(hashed, password) or account is None:
        return None
    renewed = hash_password(prepare(password)) if is_outdated(hashed) else None
    with writing(engine) as session:
        if password_of(session, account.id) != hashed:
            return None  # changed while it was compared
        if renewed:
            set_password(session, account.id, renewed, was=hashed)
        if has_factor(session, account.id):
            return account
        end_session(session, before, now)
        return begin_session(session, account, place, now)


def begin_session(session: Session, account: Account, place: Place, now: datetime) -> str:
    """Begin a session of whoever was found to be this account's owner; return its token."""
    token = new_token()
    start_sign_in(
        session,
        account.id,
        kept(token),
        device=place.device,
        network=place.network,
        now=now,
        ends_at=ends_at(now, now),
    )
    record(
        session,
        by=account.name,
        account_id=account.id,
        what="session.begun",
        about=account.email,
        detail=" · ".join(filter(None, (place.device, place.network))),
        now=now,
    )
    return token


def find_signed_in(engine: Engine, token: str, *, now: datetime) -> SignedIn | None:
    """Return whose session a token is of, None when it has ended or never was. Notes that they were there."""
    with reading(engine) as session:
        found = find_sign_in(session, kept(token), now=now)
    if found is None:
        return None
    if now - found.seen_at >= SEEN_AGAIN:
        # A page that only reads must not wait for a database that can only be read now.
        with suppress(Unavailable), writing(engine) as session:
            see_again(session, found.id, now=now, ends_at=ends_at(found.started_at, now))
    return _signed_in(found, token)


def _signed_in(found: SignIn, token: str) -> SignedIn:
    account = found.account
    return SignedIn(Actor(account.name, account.role.rights, account.id), account.email, found.id, token)


def sign_out(engine: Engine, token: str, *, now: datetime) -> None:
    """End a session. Twice is the same as once."""
    with writing(engine) as session:
        end_session(session, token, now)


def end_session(session: Session, token: str, now: datetime) -> None:
    """End the session of a token, if it has not ended."""
    found = find_sign_in(session, kept(token), now=now) if token else None
    if found is None or not end_sign_in(session, found.id, found.account.id):
        return
    account = found.account
    record(
        session, by=account.name, account_id=account.id, what="session.ended", about=account.email, now=now
    )


def change_password(engine: Engine, who: SignedIn, *, old: str, new: str, place: Place, now: datetime) -> str:
    """Give one's own account another password and end all its sessions; return the token of a new one.

    Raises `InvalidInput` when `old` is not the password, or `new` cannot be one.
    """
    with reading(engine) as session:
        account = get_account(session, who.email)
        hashed = password_of(session, account.id)
    if not is_right(hashed, old):
        raise InvalidInput("that is not your password; nothing was changed")
    renewed = hash_password(choose(new, but=(account.email, account.name)))
    with writing(engine) as session:
        if password_of(session, account.id) != hashed:
            raise Overtaken("your password was changed meanwhile; nothing was changed here")
        replace_password(session, account, renewed, by=account.name, now=now)
        return begin_session(session, account, place, now)


def end_others(engine: Engine, who: SignedIn, *, only: SignInId | None = None, now: datetime) -> int:
    """End all sessions of an account but the one that asks, or `only` one of them; return how many."""
    with writing(engine) as session:
        if only is None:
            ended = end_sign_ins(session, who.actor.account_id, but=who.session_id)
        else:
            ended = int(only != who.session_id and end_sign_in(session, only, who.actor.account_id))
        if ended:
            told = counted(ended, "session")
            record(
                session,
                by=who.actor.name,
                account_id=who.actor.account_id,
                what="session.revoked",
                about=who.email,
                detail=told,
                now=now,
            )
    return ended


def replace_password(session: Session, account: Account, hashed: str, *, by: str, now: datetime) -> int:
    """Give an account another password, by its hash, and end its sessions; return how many."""
    set_password(session, account.id, hashed)
    ended = end_sign_ins(session, account.id)
    record(session, by=by, what="account.password_set", about=account.email, now=now)
    return ended
