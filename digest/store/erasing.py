"""Everything that is stored of a reader, taken out in one transaction.

What refers to them goes with their row: every table that does names them by a foreign key that cascades, but
for deliveries and skips, which stay as numbers so that an issue's counts hold, and preview links. Skips that
tell who reads no more lose the number, too. A test
holds this against the schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    String,
    case,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, email_key
from digest.store.accounts import AccountRow
from digest.store.address_changes import AddressChangeRow
from digest.store.bounces import SoftBounceRow
from digest.store.deliveries import DeliveryRow
from digest.store.issues import IssueRow
from digest.store.kept_answers import KeptAnswerRow
from digest.store.left_out import forget_left_out
from digest.store.letters import LetterRow
from digest.store.mail_domains import MailDomainRow
from digest.store.mentions import Mentions, take_out
from digest.store.preview_links import PreviewLinkRow
from digest.store.put_off_sign_ups import erase_put_off
from digest.store.returned import ReturnedRow
from digest.store.sign_ups import erase_sign_ups
from digest.store.subscribers import SubscriberRow, SubscriptionRow
from digest.store.suppressions import RemovalRow, SuppressionRow

_UNARMED = (DeliveryState.PENDING.value, DeliveryState.CLAIMED.value)
_CHECKPOINT_MS = 2_000

NO_ADDRESS: Mapping[str, Any] = {
    "email": "",
    # Unique within an issue, as an address is.
    "email_key": literal("erased ") + cast(DeliveryRow.id, String),
    "smtp_text": case((DeliveryRow.smtp_text.is_(None), None), else_=""),
}
"""A delivery as a number: what an UPDATE sets."""


@dataclass(frozen=True, slots=True)
class TakenOut:
    """What was taken out: whose subscriptions to what, and how much of each. See `Erased`."""

    subscriber_id: SubscriberId | None
    newsletters: tuple[NewsletterId, ...]
    mails: int
    stopped: int
    letters: int
    reports: int
    mentions: int
    sign_ups: int
    was_suppressed: bool
    has_account: bool


def take_reader_out(session: Session, email: str) -> TakenOut:
    """Remove all that is stored of an address, as a reader's; nothing is armed for them once it is committed.

    An account that signs in with it stays. Where nothing is there, nothing is changed. Uploaded lists are
    another matter (`lists_without`).
    """
    key = email_key(email)
    found = session.scalar(select(SubscriberRow.id).where(SubscriberRow.email_key == key).with_for_update())
    newsletters: Sequence[int] = ()
    mails = stopped = letters = 0
    if found is not None:
        # In the order of who unsubscribes: of two that wait for each other's rows one is ended.
        tie = select(SubscriptionRow.newsletter_id).where(SubscriptionRow.subscriber_id == found)
        newsletters = session.scalars(tie.order_by(SubscriptionRow.newsletter_id).with_for_update()).all()
        stopped, mails = _count_mails(session, found)
        letters = session.scalar(select(func.count()).where(LetterRow.subscriber_id == found)) or 0
        session.execute(delete(SoftBounceRow).where(SoftBounceRow.delivery_id.in_(_mails_of(found))))
        reports = _blank_reports(session, key, found)
        blank_mails(session, SubscriberId(found))
        forget_left_out(session, SubscriberId(found))
        session.execute(delete(PreviewLinkRow).where(PreviewLinkRow.subscriber_id == found))
        session.execute(delete(SubscriberRow).where(SubscriberRow.id == found))
    else:
        reports = _blank_reports(session, key, None)
    elsewhere = _take_out_elsewhere(session, key)
    suppressed = delete(SuppressionRow).where(SuppressionRow.email_key == key)
    was_suppressed = session.scalar(suppressed.returning(SuppressionRow.email_key)) is not None
    session.execute(delete(RemovalRow).where(RemovalRow.email_key == key))
    waiting = erase_sign_ups(session, key) + erase_put_off(session, key)
    _forget_answers(session, key)
    _forget_domain(session, key.rpartition("@")[2])
    return TakenOut(
        None if found is None else SubscriberId(found),
        tuple(map(NewsletterId, newsletters)),
        mails,
        stopped,
        letters,
        reports,
        take_out(session, key) + elsewhere,
        waiting,
        was_suppressed,
        bool(session.scalar(select(exists().where(AccountRow.email_key == key)))),
    )


def blank_mails(session: Session, subscriber_id: SubscriberId) -> None:
    """Cancel what of a reader's mails is not armed, and take their address out of all of them.

    A worker that still holds one settles it, but keeps no words about it (`settle_deliveries`).
    """
    _blank(session, DeliveryRow.subscriber_id == subscriber_id)


def _blank(session: Session, *which: ColumnElement[bool]) -> int:
    is_unarmed = DeliveryRow.state.in_(_UNARMED)
    changed = session.connection().execute(
        update(DeliveryRow)
        .where(*which)
        .values(
            state=case((is_unarmed, DeliveryState.CANCELLED.value), else_=DeliveryRow.state),
            owner=case((is_unarmed, None), else_=DeliveryRow.owner),
            lease_until=case((is_unarmed, None), else_=DeliveryRow.lease_until),
            **NO_ADDRESS,
        )
    )
    return changed.rowcount


def await_addressing(session: Session, newsletters: Sequence[NewsletterId]) -> None:
    """Wait for issues of these newsletters that are being addressed just now: they may still see the reader.

    Addressing holds its issue until all its deliveries are stored. SQLite has one writer, who needs not wait.
    """
    session.execute(
        select(IssueRow.id)
        .where(IssueRow.newsletter_id.in_(newsletters), IssueRow.state == IssueState.APPROVED)
        .order_by(IssueRow.id)
        .with_for_update(read=True)
    )


def leave_no_trace(engine: Engine) -> bool:
    """Empty SQLite's journal into its file, as it holds what was there; return whether it is empty.

    Where somebody reads at this moment it is emptied later. PostgreSQL looks after itself (VACUUM).
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        try:
            was = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout={_CHECKPOINT_MS}")
            is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout={was}")
        finally:
            cursor.close()
    return not is_busy


def addresses_of(session: Session, email: str, owner: SubscriberId | None) -> tuple[str, ...]:
    """Return an address, and those that its owner had before, as far as their mails and changes tell.

    Where `owner` has another one since, that comes first. Not among them is what is another reader's by now.
    """
    key = email_key(email)
    theirs = SubscriberRow.email_key == key if owner is None else SubscriberRow.id == owner
    reader = session.execute(select(SubscriberRow.id, SubscriberRow.email_key).where(theirs)).one_or_none()
    if reader is None:
        return (key,)
    found, has = reader
    mailed = select(DeliveryRow.email_key).where(DeliveryRow.subscriber_id == found, DeliveryRow.email != "")
    changed = select(AddressChangeRow.old_key).where(
        AddressChangeRow.subscriber_id == found, AddressChangeRow.confirmed_at.is_not(None)
    )
    before = {key, *session.scalars(mailed.distinct()), *session.scalars(changed)} - {has}
    taken = session.scalars(select(SubscriberRow.email_key).where(SubscriberRow.email_key.in_(before)))
    return (has, *sorted(before - set(taken)))


def _take_out_elsewhere(session: Session, key: str) -> int:
    """Take an address out where it stands beside another's number, or theirs of before; return how often."""
    # Issue by issue, as the index is: no other holds addresses of mails.
    mails = _blank(session, DeliveryRow.issue_id.in_(select(IssueRow.id)), DeliveryRow.email_key == key)
    changes = or_(AddressChangeRow.old_key == key, AddressChangeRow.new_key == key)
    letters = LetterRow.email_key == key, LetterRow.account_id.is_(None)
    gone = (delete(AddressChangeRow).where(changes), delete(LetterRow).where(*letters))
    return mails + sum(session.connection().execute(one).rowcount for one in gone)


def _mails_of(subscriber_id: int) -> Select[int]:
    return select(DeliveryRow.id).where(DeliveryRow.subscriber_id == subscriber_id)


def _count_mails(session: Session, subscriber_id: int) -> tuple[int, int]:
    counts = dict(
        session.execute(
            select(DeliveryRow.state, func.count())
            .where(DeliveryRow.subscriber_id == subscriber_id)
            .group_by(DeliveryRow.state)
        ).all()
    )
    return sum(counts.get(state, 0) for state in _UNARMED), sum(counts.values())


def _blank_reports(session: Session, key: str, subscriber_id: int | None) -> int:
    """Take the reader out of what came back, so that it still counts; return how many reports there were."""
    theirs = [ReturnedRow.email_key == key]
    if subscriber_id is not None:
        theirs.append(ReturnedRow.delivery_id.in_(_mails_of(subscriber_id)))
    return forget_reports_of(session, or_(*theirs))


def forget_reports_of(session: Session, which: ColumnElement[bool]) -> int:
    """Take reader and words out of reports, so that they still count; return how many those are."""
    blanked = session.connection().execute(
        update(ReturnedRow).where(which).values(email="", email_key="", domain="", detail="")
    )
    return blanked.rowcount


def _forget_answers(session: Session, key: str) -> None:
    """Forget what the API answered about them: the same request is refused now, as they were erased."""
    mentions = Mentions(key)
    rows = session.execute(
        select(KeptAnswerRow.token_id, KeptAnswerRow.key, KeptAnswerRow.body).where(
            mentions.held_by((KeptAnswerRow.body, KeptAnswerRow.key))
        )
    ).all()
    for token_id, name, body in rows:
        if mentions.are_in(body) or mentions.are_in(name):
            this = KeptAnswerRow.token_id == token_id, KeptAnswerRow.key == name
            session.execute(delete(KeptAnswerRow).where(*this))


def _forget_domain(session: Session, domain: str) -> None:
    """Forget what DNS said of a domain that was theirs alone: its name may be a person's."""
    is_shared = exists().where(SubscriberRow.email_key.like(f"%@{domain}"))
    session.execute(delete(MailDomainRow).where(MailDomainRow.domain == domain, ~is_shared))
