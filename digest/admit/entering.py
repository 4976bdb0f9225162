"""Coming in by a link, once: the first admin, the invited, and who forgot their password."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.admit.passwords import choose, hash_password
from digest.admit.sessions import kept, new_token
from digest.admit.steps import Place, begin_session, replace_password
from digest.domain.accounts import Account, AccountId, Role
from digest.domain.errors import Conflict, NotFound
from digest.domain.letters import LetterKind
from digest.store.account_letters import queue_account_letter, was_written_to
from digest.store.accounts import add_account, get_account, has_accounts
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.entry_links import EntryLink, claim_link, find_link, put_link
from digest.store.second_factors import has_factor

FIRST_WITHIN = timedelta(hours=24)
"""Whoever starts Digest for the first time opens the link from the same terminal."""

INVITED_WITHIN = timedelta(days=7)

OWN_WITHIN = timedelta(hours=1)
"""Whoever forgot their password waits for the mail."""

AGAIN_AFTER = timedelta(minutes=15)
"""One mail at most in this time: a form that anybody can fill in must not become a way to flood somebody."""

_USED = "this link was used, or is too old, or another was made since"


@dataclass(frozen=True, slots=True)
class LinkPost:
    """What links are mailed with: the key that their tokens are worked out by, and the sender's domain.

    A token is nowhere in the database: it is worked out anew from the mail's Message-ID when that is written.
    """

    key: bytes = field(repr=False)
    domain: str

    def token_of(self, message_id: str) -> str:
        """Return the token of the link in the mail of this id: 256 bits, as of any other link."""
        mac = hmac.digest(self.key, f"entry link\0{message_id}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def make_link(
    session: Session,
    account: Account,
    *,
    by: str,
    now: datetime,
    account_id: AccountId | None = None,
    post: LinkPost | None = None,
) -> str:
    """Return the token of a link by which an account's owner chooses a password. Earlier ones end.

    `account_id` is the account of who makes it, if they have one. With `post` it is mailed to its owner, too.
    """
    token = _put(session, account, by=by, now=now, within=INVITED_WITHIN, post=post)
    told = "mailed" if post else ""
    record(
        session,
        by=by,
        account_id=account_id,
        what="account.link_made",
        about=account.email,
        detail=told,
        now=now,
    )
    return token


def mail_own_link(session: Session, account: Account, *, now: datetime, post: LinkPost) -> bool:
    """Mail somebody who forgot their password a link; return whether none was mailed lately.

    Links that admins made stay good: who asks at the door need not be who they say.
    """
    get_account(session, account.email, to_change=True)
    if was_written_to(session, account.id, since=now - AGAIN_AFTER):
        return False
    _put(session, account, by="sign-in page", now=now, within=OWN_WITHIN, post=post, is_own=True)
    record(session, by="sign-in page", what="account.link_asked", about=account.email, now=now)
    return True


def _put(
    session: Session,
    account: Account,
    *,
    by: str,
    now: datetime,
    within: timedelta,
    post: LinkPost | None,
    is_own: bool = False,
) -> str:
    kind = LetterKind.NEW_PASSWORD if account.has_password else LetterKind.INVITATION
    message_id = f"<{kind}.{secrets.token_hex(16)}@{post.domain}>" if post else ""
    token = post.token_of(message_id) if post else new_token()
    put_link(session, account.id, kept(token), by=by, now=now, expires_at=now + within, is_own=is_own)
    if post:
        queue_account_letter(session, kind, account, message_id=message_id, entry_link=kept(token), now=now)
    return token


def make_first_link(engine: Engine, *, now: datetime) -> str | None:
    """Return the token of a link that makes the first account; None when there is one. Earlier ones end."""
    with reading(engine) as session:
        if has_accounts(session):
            return None
    token = new_token()
    with writing(engine) as session:
        put_link(session, None, kept(token), by="digest", now=now, expires_at=now + FIRST_WITHIN)
    return token


def get_link(engine: Engine, token: str, *, now: datetime) -> EntryLink:
    """Return what a link opens, and change nothing. Raises `NotFound` for one that opens nothing any more."""
    with reading(engine) as session:
        found = find_link(session, kept(token), now=now)
        is_late = found is not None and found.account is None and has_accounts(session)
    if found is None or is_late:
        raise NotFound(_USED)
    return found


def enter(engine: Engine, token: str, *, password: str, place: Place, now: datetime) -> str | None:
    """Give the link's account this password, end its sessions and begin one; return the session's token.

    None when its phone has to prove to be there: a link stands for the password and no more.
    Raises `InvalidInput` for the password, with the link as good as before, and `NotFound` for the link.
    """
    account = get_link(engine, token, now=now).account
    if account is None:
        raise NotFound(_USED)
    hashed = hash_password(choose(password, but=(account.email, account.name)))
    with writing(engine) as session:
        if not claim_link(session, kept(token), account.id, now=now):
            raise NotFound(_USED)
        replace_password(session, account, hashed, by=account.name, now=now)
        if has_factor(session, account.id):
            return None
        return begin_session(session, account, place, now)


def enter_first(
    engine: Engine, token: str, *, email: str, name: str, password: str, place: Place, now: datetime
) -> str:
    """Make the first account, an admin, and begin its session; return the session's token.

    Raises `InvalidInput` for the password, `NotFound` for the link, and `Conflict` when somebody was first.
    """
    get_link(engine, token, now=now)
    hashed = hash_password(choose(password, but=(email, name)))
    with writing(engine) as session:
        if not claim_link(session, kept(token), None, now=now):
            raise NotFound(_USED)
        if has_accounts(session):
            raise Conflict("somebody else has made the first account meanwhile: ask them for one")
        account = add_account(session, email, name=name, role=Role.ADMIN, by=name, now=now, password=hashed)
        told = Role.ADMIN.value
        record(
            session, by=name, account_id=account.id, what="account.added", about=email, detail=told, now=now
        )
        return begin_session(session, account, place, now)
