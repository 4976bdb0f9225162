"""Accounts as an admin keeps them: made, given another role, removed, their sessions ended; each recorded."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from digest.admit.entering import LinkPost, make_link
from digest.domain.accounts import Account, AccountId, Role
from digest.domain.counting import counted
from digest.store.accounts import add_account, change_language, change_role, remove_account
from digest.store.audit import record
from digest.store.sign_ins import end_sign_ins


def let_in(
    session: Session,
    email: str,
    *,
    name: str,
    role: Role,
    by: str,
    now: datetime,
    account_id: AccountId | None = None,
    language: str = "en",
    post: LinkPost | None = None,
) -> tuple[Account, str]:
    """Make an account; return it and the token of the link by which its owner comes in.

    `account_id` is the account of who makes it, here and below; with `post` the link is mailed, too, in
    their language. Raises `Conflict` for an address or a name that is taken.
    """
    made = add_account(session, email, name=name, role=role, by=by, now=now, language=language)
    told = role.value
    record(session, by=by, account_id=account_id, what="account.added", about=email, detail=told, now=now)
    return made, make_link(session, made, by=by, account_id=account_id, now=now, post=post)


def give_role(
    session: Session,
    account: Account,
    role: Role,
    *,
    by: str,
    now: datetime,
    account_id: AccountId | None = None,
) -> None:
    """Let an account be something else; the same again is no change. Raises `Conflict`, `NotFound`."""
    change_role(session, account, role)
    if role is not account.role:
        record(
            session,
            by=by,
            account_id=account_id,
            what="account.role_changed",
            about=account.email,
            detail=f"{account.role} → {role}",
            now=now,
        )


def speak(
    session: Session,
    account: Account,
    language: str,
    *,
    by: str,
    now: datetime,
    account_id: AccountId | None = None,
) -> None:
    """Let mails to an account be in `language`; the same again is no change. Raises `NotFound`."""
    change_language(session, account, language)
    if language != account.language:
        record(
            session,
            by=by,
            account_id=account_id,
            what="account.language_changed",
            about=account.email,
            detail=f"{account.language} → {language}",
            now=now,
        )


def send_away(
    session: Session, account: Account, *, by: str, now: datetime, account_id: AccountId | None = None
) -> None:
    """Remove an account, and with it its sessions and tokens. Raises `Conflict`, `NotFound`."""
    remove_account(session, account)
    record(session, by=by, account_id=account_id, what="account.removed", about=account.email, now=now)


def end_sessions(
    session: Session, account: Account, *, by: str, now: datetime, account_id: AccountId | None = None
) -> int:
    """End all sessions of an account, as on a device that was lost; return how many there were."""
    ended = end_sign_ins(session, account.id)
    told = counted(ended, "session")
    record(
        session,
        by=by,
        account_id=account_id,
        what="session.revoked",
        about=account.email,
        detail=told,
        now=now,
    )
    return ended
