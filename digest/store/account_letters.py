"""Letters to people with an account: the link by which they come in, and how far it got."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from digest.domain.accounts import Account, AccountId
from digest.domain.deliveries import DeliveryState
from digest.domain.letters import LetterKind
from digest.domain.subscribers import email_key
from digest.store.letters import LetterRow, LetterStanding, as_standing


def queue_account_letter(
    session: Session, kind: LetterKind, account: Account, *, message_id: str, entry_link: str, now: datetime
) -> None:
    """Have a link mailed to an account's owner, from now on; `entry_link` is the hash of its token."""
    session.add(
        LetterRow(
            kind=kind,
            account_id=account.id,
            entry_link=entry_link,
            email=account.email,
            email_key=email_key(account.email),
            message_id=message_id,
            state=DeliveryState.PENDING,
            fence=0,
            next_at=now,
            attempts=0,
            created_at=now,
        )
    )
    session.flush()


def account_letters(session: Session) -> dict[AccountId, LetterStanding]:
    """Return the newest letter to each account that ever got one."""
    newest = select(func.max(LetterRow.id)).where(LetterRow.account_id.is_not(None))
    rows = session.scalars(select(LetterRow).where(LetterRow.id.in_(newest.group_by(LetterRow.account_id))))
    return {AccountId(row.account_id): as_standing(row) for row in rows if row.account_id is not None}


def was_written_to(session: Session, account_id: AccountId, *, since: datetime) -> bool:
    """Return whether a letter to an account was queued since then."""
    found = exists().where(LetterRow.account_id == account_id, LetterRow.created_at > since)
    return bool(session.scalar(select(found)))
