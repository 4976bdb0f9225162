"""Letters that wait to be sent, and what became of those that did: an outbox.

A letter is queued in the transaction of what it is about, so that neither happens without the other. It moves
between states by conditional updates only, as deliveries do (`claims.py`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    and_,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.accounts import AccountId
from digest.domain.deliveries import DeliveryState, Outcome
from digest.domain.errors import NotFound
from digest.domain.letters import Letter, LetterId, LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState, email_key
from digest.store.address_changes import tells_of_change
from digest.store.asks import AskRow
from digest.store.base import Base, BigId, storable
from digest.store.entry_links import EntryLinkRow
from digest.store.holds import NOTHING_HELD
from digest.store.newsletters import newsletter_by_id
from digest.store.subscribers import SubscriberRow, SubscriptionRow
from digest.store.suppressions import SuppressionRow

_PENDING = text("state = 'pending'")
_LEASED = text("state IN ('claimed', 'sending')")


class LetterRow(Base):
    """One letter to one subscriber or account. Only its kind is kept: what it says is told when it is sent.

    `entry_link` is the hash of the link that a letter to an account is about.
    """

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_due", "next_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        Index("ix_letters_leased", "lease_until", sqlite_where=_LEASED, postgresql_where=_LEASED),
        Index("ix_letters_newsletter_id", "newsletter_id", "email_key", "kind"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    newsletter_id: Mapped[int | None] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    subscriber_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320))
    message_id: Mapped[str] = mapped_column(String(250), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str | None] = mapped_column(String(120))
    fence: Mapped[int]
    lease_until: Mapped[datetime | None]
    next_at: Mapped[datetime]
    attempts: Mapped[int]
    smtp_code: Mapped[int | None]
    smtp_text: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    armed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    entry_link: Mapped[str | None] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class LetterStanding:
    """How a letter stands, for ops: `answer` is what the mail server said, '' while it said nothing."""

    id: LetterId
    kind: LetterKind
    newsletter_id: NewsletterId | None
    email: str
    state: DeliveryState
    created_at: datetime
    next_at: datetime
    answer: str


_WANTED_IN = {
    LetterKind.CONFIRMATION: (SubscriptionState.PENDING,),
    LetterKind.WELCOME: (SubscriptionState.ACTIVE,),
    LetterKind.PREFERENCES: (SubscriptionState.ACTIVE, SubscriptionState.PAUSED),
    LetterKind.GOODBYE: (SubscriptionState.UNSUBSCRIBED,),
}
"""The states of a subscription in which each letter still makes sense when it is sent: whoever takes an
unsubscription back at once is not told goodbye."""

_ONCE_IN = {kind: timedelta(days=1) for kind in (*_WANTED_IN, LetterKind.NEW_ADDRESS)} | {
    LetterKind.PREFERENCES: timedelta(0),
    LetterKind.LEAVE_ADDRESS: timedelta(0),
    LetterKind.OLD_ADDRESS: timedelta(0),
}
"""One of a kind in this time for an address and newsletter: a form that anybody can fill in must not become a
way to flood somebody. A link to the settings is asked for by ops, who know what they do; each change of
their address readers are asked about and told of, and how often they may ask is counted there."""

_IN_HAND = (DeliveryState.CLAIMED, DeliveryState.SENDING)
_WAITING = (DeliveryState.PENDING, *_IN_HAND)
_WENT_OUT = (DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)

_IS_WANTED = or_(
    exists()
    .where(
        SubscriptionRow.newsletter_id == LetterRow.newsletter_id,
        SubscriptionRow.subscriber_id == LetterRow.subscriber_id,
        or_(
            *(
                and_(LetterRow.kind == kind, SubscriptionRow.state.in_(states))
                for kind, states in _WANTED_IN.items()
            )
        ),
    )
    .correlate(LetterRow),
    tells_of_change(LetterRow.kind, LetterRow.subscriber_id, LetterRow.email_key).correlate(LetterRow),
    # Who unsubscribed once and asks for it again is no subscriber until they confirm it.
    exists()
    .where(
        AskRow.newsletter_id == LetterRow.newsletter_id,
        AskRow.subscriber_id == LetterRow.subscriber_id,
        LetterRow.kind == LetterKind.CONFIRMATION,
    )
    .correlate(LetterRow),
    # A link that was used, or that another took the place of, is of no use to anybody.
    exists().where(EntryLinkRow.token == LetterRow.entry_link).correlate(LetterRow),
)
_IS_SUPPRESSED = exists().where(SuppressionRow.email_key == LetterRow.email_key).correlate(LetterRow)
# Written out as in the partial indexes, see `claims.py`.
_IS_PENDING = LetterRow.state == literal_column("'pending'")


def queue_letter(
    session: Session,
    kind: LetterKind,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    to: str = "",
) -> LetterId | None:
    """Have a letter sent to a subscriber, from now on; None when one of its kind waits or went out lately.

    `to` is another address than theirs. Raises `NotFound` where there is no such subscription.
    """
    # Locked, so that two at once do not both find that there is none.
    tie = session.scalar(
        select(SubscriptionRow.state)
        .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == subscriber_id)
        .with_for_update()
    )
    reader = session.get(SubscriberRow, subscriber_id)
    if tie is None or reader is None:
        raise NotFound(f"subscriber {subscriber_id} of newsletter {newsletter_id} was removed")
    address = to or reader.email
    return queue_letters(session, kind, newsletter_id, {subscriber_id: address}, now=now).get(subscriber_id)


def queue_letters(
    session: Session,
    kind: LetterKind,
    newsletter_id: NewsletterId,
    addresses: Mapping[SubscriberId, str],
    *,
    now: datetime,
) -> dict[SubscriberId, LetterId]:
    """Have a letter sent to each of a page of subscribers of whom none of its kind waits or went out lately.

    Nobody else may queue such letters meanwhile: two at once would both find that there is none.
    """
    if not addresses:
        return {}
    enough = _who_has_enough(session, kind, newsletter_id, [*map(email_key, addresses.values())], now=now)
    domain = newsletter_by_id(session, newsletter_id).sender_email.rpartition("@")[2]
    rows = [
        LetterRow(
            kind=kind,
            newsletter_id=newsletter_id,
            subscriber_id=subscriber_id,
            email=address,
            email_key=email_key(address),
            message_id=f"<{kind}.{secrets.token_hex(10)}@{domain}>",
            state=DeliveryState.PENDING,
            fence=0,
            next_at=now,
            attempts=0,
            created_at=now,
        )
        for subscriber_id, address in addresses.items()
        if email_key(address) not in enough
    ]
    session.add_all(rows)
    session.flush()
    return {SubscriberId(row.subscriber_id): LetterId(row.id) for row in rows if row.subscriber_id}


def _who_has_enough(
    session: Session, kind: LetterKind, newsletter_id: NewsletterId, keys: Sequence[str], *, now: datetime
) -> frozenset[str]:
    lately = and_(LetterRow.state.in_(_WENT_OUT), LetterRow.created_at > now - _ONCE_IN[kind])
    found = select(LetterRow.email_key).where(
        LetterRow.newsletter_id == newsletter_id,
        LetterRow.email_key.in_(keys),
        LetterRow.kind == kind,
        or_(LetterRow.state.in_(_WAITING), lately),
    )
    return frozenset(session.scalars(found))


def is_letter_due(session: Session, *, now: datetime) -> bool:
    """Return whether any letter could be sent now."""
    return bool(session.scalar(select(exists().where(_IS_PENDING, LetterRow.next_at <= now))))


def hasten_letters(session: Session, *, now: datetime) -> None:
    """Make every letter that waits for its next try due now."""
    session.execute(
        update(LetterRow)
        .where(_IS_PENDING, LetterRow.next_at > now)
        .values(next_at=now)
        .execution_options(synchronize_session=False)
    )


def waiting_letters(session: Session) -> tuple[int, datetime | None]:
    """Return how many letters wait, and when the first of them is due; None when none does."""
    count, first = session.execute(select(func.count(), func.min(LetterRow.next_at)).where(_IS_PENDING)).one()
    return count, first


def claim_letters(
    session: Session,
    *,
    owner: str,
    limit: int,
    now: datetime,
    lease_until: datetime,
    only: LetterId | None = None,
) -> tuple[Letter, ...]:
    """Take up to `limit` due letters for `owner`, or `only` this one. Empty: nothing is due."""
    due = (
        select(LetterRow.id)
        .where(_IS_PENDING, LetterRow.next_at <= now, *([] if only is None else [LetterRow.id == only]))
        .order_by(LetterRow.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = session.execute(
        update(LetterRow)
        .where(LetterRow.id.in_(select(due.c.id)))
        .values(state=DeliveryState.CLAIMED, owner=owner, fence=LetterRow.fence + 1, lease_until=lease_until)
        .returning(
            LetterRow.id,
            LetterRow.fence,
            LetterRow.kind,
            LetterRow.newsletter_id,
            LetterRow.subscriber_id,
            LetterRow.email,
            LetterRow.message_id,
            LetterRow.attempts,
            LetterRow.created_at,
            LetterRow.account_id,
        )
        .execution_options(synchronize_session=False)
    )
    return tuple(
        Letter(
            LetterId(row.id),
            row.fence,
            LetterKind(row.kind),
            _newsletter_id(row.newsletter_id),
            None if row.subscriber_id is None else SubscriberId(row.subscriber_id),
            row.email,
            row.message_id,
            row.attempts,
            row.created_at,
            None if row.account_id is None else AccountId(row.account_id),
        )
        for row in rows
    )


def arm_letter(session: Session, letter: Letter, *, owner: str, now: datetime) -> bool:
    """Commit `owner` to sending a letter; False when it must not be sent.

    It was taken over, everything is held, or its reader is suppressed or no more in a state that it is for.
    """
    armed = session.scalar(
        update(LetterRow)
        .where(
            _held([letter], owner), LetterRow.state.in_(_IN_HAND), NOTHING_HELD, _IS_WANTED, ~_IS_SUPPRESSED
        )
        .values(state=DeliveryState.SENDING, armed_at=now)
        .returning(LetterRow.id)
        .execution_options(synchronize_session=False)
    )
    return armed is not None


def return_letters(session: Session, letters: Sequence[Letter], *, owner: str) -> None:
    """Give back what was not armed: pending again, or cancelled where nobody wants it any more."""
    session.connection().execute(
        update(LetterRow)
        .where(_held(letters, owner), LetterRow.state == DeliveryState.CLAIMED)
        .values(
            state=case(
                (_IS_WANTED & ~_IS_SUPPRESSED, DeliveryState.PENDING.value),
                else_=DeliveryState.CANCELLED.value,
            ),
            owner=None,
            lease_until=None,
        )
    )


def settle_letter(session: Session, letter: Letter, outcome: Outcome, *, now: datetime) -> bool:
    """Record what became of a letter; return whether it was still the claim's to settle."""
    settled = session.scalar(
        update(LetterRow)
        .where(
            LetterRow.id == letter.id,
            LetterRow.fence == letter.fence,
            LetterRow.state.in_((*_IN_HAND, DeliveryState.UNKNOWN)),
        )
        .values(
            state=outcome.state,
            smtp_code=outcome.code,
            smtp_text=storable(outcome.text)[:500],
            attempts=LetterRow.attempts + 1,
            next_at=now if outcome.retry_in is None else now + outcome.retry_in,
            settled_at=now,
            owner=None,
            lease_until=None,
        )
        .returning(LetterRow.id)
        .execution_options(synchronize_session=False)
    )
    return settled is not None


def _held(letters: Sequence[Letter], owner: str) -> ColumnElement[bool]:
    keys = [(letter.id, letter.fence) for letter in letters]
    return and_(tuple_(LetterRow.id, LetterRow.fence).in_(keys), LetterRow.owner == owner)


def list_letters(
    session: Session, *, newsletter_id: NewsletterId | None = None, limit: int
) -> tuple[LetterStanding, ...]:
    """Return the newest letters, newest first."""
    of_one = [] if newsletter_id is None else [LetterRow.newsletter_id == newsletter_id]
    rows = session.scalars(select(LetterRow).where(*of_one).order_by(LetterRow.id.desc()).limit(limit))
    return tuple(map(as_standing, rows))


def get_letter(session: Session, letter_id: LetterId) -> LetterStanding:
    """Return how one letter stands. Raises `NotFound`."""
    row = session.get(LetterRow, letter_id, populate_existing=True)
    if row is None:
        raise NotFound(f"letter {letter_id} was removed together with whom it was to")
    return as_standing(row)


def _newsletter_id(number: int | None) -> NewsletterId | None:
    return None if number is None else NewsletterId(number)


def as_standing(row: LetterRow) -> LetterStanding:
    """Return how a row's letter stands."""
    return LetterStanding(
        LetterId(row.id),
        LetterKind(row.kind),
        _newsletter_id(row.newsletter_id),
        row.email,
        DeliveryState(row.state),
        row.created_at,
        row.next_at,
        f"{row.smtp_code or ''} {row.smtp_text or ''}".strip(),
    )
