"""Changes of a reader's address: asked for, agreed to by both mailboxes, taken back from the old one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NewType

from sqlalchemy import (
    ColumnElement,
    Exists,
    ForeignKey,
    String,
    and_,
    delete,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import ReaderAddress, SubscriberId, SubscriptionState, email_key
from digest.store.base import NEVER_AGAIN, Base, BigId
from digest.store.deliveries import IS_PENDING, DeliveryRow
from digest.store.subscribers import SubscriberRow, SubscriptionRow

ChangeId = NewType("ChangeId", int)

_THEIRS = exists().where(SubscriptionRow.subscriber_id == SubscriberRow.id)
_IS_UNCONFIRMED = and_(_THEIRS, ~_THEIRS.where(SubscriptionRow.state != SubscriptionState.PENDING))


class AddressChangeRow(Base):
    """A change of one reader's address. The newsletter is the one by whose link it was asked for.

    It is done at `confirmed_at`, and taken back, or given up for another, at `undone_at`.
    """

    __tablename__ = "address_changes"
    __table_args__ = (NEVER_AGAIN,)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscribers.id", ondelete="CASCADE"), index=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"), index=True)
    old_email: Mapped[str] = mapped_column(String(320))
    old_key: Mapped[str] = mapped_column(String(320))
    new_email: Mapped[str] = mapped_column(String(320))
    new_key: Mapped[str] = mapped_column(String(320))
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    old_agreed_at: Mapped[datetime | None]
    new_agreed_at: Mapped[datetime | None]


_IS_ASKED = AddressChangeRow.confirmed_at.is_(None)


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A change as it stands, one of a reader's at a time.

    Each mailbox agrees at a moment, and with the second the change is done, at `confirmed_at`. `undone_at` is
    when it was taken back, or given up for another. All are None until that happens.
    """

    id: ChangeId
    subscriber_id: SubscriberId
    newsletter_id: NewsletterId
    old_email: str
    new_email: str
    asked_at: datetime
    confirmed_at: datetime | None = None
    undone_at: datetime | None = None
    old_agreed_at: datetime | None = None
    new_agreed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it could still be done."""
        return self.confirmed_at is None and self.undone_at is None


def add_change(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    old_email: str,
    new_email: str,
    now: datetime,
    confirmed_at: datetime | None = None,
) -> AddressChange:
    """Keep that a reader's address is to change; `confirmed_at` where that is certain at once."""
    row = AddressChangeRow(
        subscriber_id=subscriber_id,
        newsletter_id=newsletter_id,
        old_email=old_email,
        old_key=email_key(old_email),
        new_email=new_email,
        new_key=email_key(new_email),
        asked_at=now,
        confirmed_at=confirmed_at,
    )
    session.add(row)
    session.flush()
    return _change(row)


def find_change(session: Session, change_id: int, subscriber_id: int) -> AddressChange | None:
    """Return a change of this reader, None when there is none."""
    row = session.get(AddressChangeRow, change_id, populate_existing=True)
    return None if row is None or row.subscriber_id != subscriber_id else _change(row)


def find_asked(
    session: Session, subscriber_id: SubscriberId, *, old_email: str, new_email: str
) -> AddressChange | None:
    """Return the newest change of a reader's between these that is not done, given up ones too."""
    row = session.scalar(
        select(AddressChangeRow)
        .where(
            AddressChangeRow.subscriber_id == subscriber_id,
            AddressChangeRow.old_key == email_key(old_email),
            AddressChangeRow.new_key == email_key(new_email),
            _IS_ASKED,
        )
        .order_by(AddressChangeRow.id.desc())
        .limit(1)
    )
    return None if row is None else _change(row)


def ask_once_more(session: Session, change: AddressChange, *, now: datetime) -> AddressChange:
    """Let a change that is not done be one that was asked for now, and return it: its links are good again.

    A yes to one that was given up is none any more: whoever said it went on to another address.
    """
    renewed = replace(change, asked_at=now, undone_at=None)
    if not change.is_open:
        renewed = replace(renewed, old_agreed_at=None, new_agreed_at=None)
    _mark(
        session,
        AddressChangeRow.id == change.id,
        asked_at=now,
        undone_at=None,
        old_agreed_at=renewed.old_agreed_at,
        new_agreed_at=renewed.new_agreed_at,
    )
    return renewed


def give_up_others(session: Session, subscriber_id: SubscriberId, *, now: datetime) -> None:
    """Give up what a reader asked for that is not done: another change takes its place."""
    of_theirs = AddressChangeRow.subscriber_id == subscriber_id
    _mark(session, and_(of_theirs, _IS_ASKED, AddressChangeRow.undone_at.is_(None)), undone_at=now)


def change_to_tell(
    session: Session, kind: LetterKind, subscriber_id: SubscriberId, email: str
) -> AddressChange | None:
    """Return the newest change that a letter of this kind to `email` is about, None when it is over."""
    row = session.scalar(
        select(AddressChangeRow)
        .where(
            AddressChangeRow.subscriber_id == subscriber_id,
            _IS_OPEN[kind],
            _KEY_OF[kind] == email_key(email),
        )
        .order_by(AddressChangeRow.id.desc())
        .limit(1)
    )
    return None if row is None else _change(row)


def lock_reader(session: Session, subscriber_id: SubscriberId) -> None:
    """Keep others from this reader's address: whoever changes it at the same moment waits."""
    session.execute(select(SubscriberRow.id).where(SubscriberRow.id == subscriber_id).with_for_update())


def mark_agreed(session: Session, change_id: ChangeId, *, is_new: bool, now: datetime) -> None:
    """Keep that one of the mailboxes agreed: the new one, or the old one."""
    agreed = {"new_agreed_at": now} if is_new else {"old_agreed_at": now}
    _mark(session, AddressChangeRow.id == change_id, **agreed)


def forget_new_yes(session: Session, change_id: ChangeId) -> None:
    """Forget that the new mailbox agreed."""
    _mark(session, AddressChangeRow.id == change_id, new_agreed_at=None)


def mark_confirmed(session: Session, change_id: ChangeId, *, now: datetime) -> None:
    """Keep that the new address is the reader's."""
    _mark(session, AddressChangeRow.id == change_id, confirmed_at=now)


def mark_undone(session: Session, change: AddressChange, *, now: datetime) -> None:
    """Keep that the old address is the reader's again, whatever was done after it."""
    _mark(
        session,
        and_(
            AddressChangeRow.subscriber_id == change.subscriber_id,
            or_(_IS_ASKED, AddressChangeRow.confirmed_at >= change.confirmed_at),
            AddressChangeRow.undone_at.is_(None),
        ),
        undone_at=now,
    )


def _mark(session: Session, which: ColumnElement[bool], **values: datetime | None) -> None:
    marked = update(AddressChangeRow).where(which).values(**values)
    session.execute(marked.execution_options(synchronize_session=False))


def find_reader_address(session: Session, subscriber_id: SubscriberId) -> ReaderAddress | None:
    """Return the address a reader has, None when they were removed."""
    row = session.execute(
        select(SubscriberRow.email, SubscriberRow.moved_at).where(SubscriberRow.id == subscriber_id)
    ).one_or_none()
    return None if row is None else ReaderAddress(*row)


def is_taken(session: Session, email: str) -> bool:
    """Return whether somebody has this address already.

    A sign-up that nobody confirmed holds none: any stranger can type an address into a form.
    """
    key = email_key(email)
    return bool(session.scalar(select(exists().where(SubscriberRow.email_key == key, ~_IS_UNCONFIRMED))))


def set_address(session: Session, subscriber_id: SubscriberId, email: str, *, now: datetime) -> None:
    """Give a reader another address, and what waits to be sent to them as well.

    What a worker holds already goes where it was to go, and so does what somebody else was sent there before.
    The caller has seen that nobody has the address. A sign-up with it that nobody confirmed is gone then.
    """
    key = email_key(email)
    session.execute(
        delete(SubscriberRow)
        .where(SubscriberRow.email_key == key, SubscriberRow.id != subscriber_id, _IS_UNCONFIRMED)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(SubscriberRow)
        .where(SubscriberRow.id == subscriber_id)
        .values(email=email, email_key=key, moved_at=now)
    )
    other = DeliveryRow.__table__.alias("other")
    session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.subscriber_id == subscriber_id,
            IS_PENDING,
            ~exists().where(other.c.issue_id == DeliveryRow.issue_id, other.c.email_key == key),
        )
        .values(email=email, email_key=key)
        .execution_options(synchronize_session=False)
    )


_IS_OPEN: dict[LetterKind, ColumnElement[bool]] = {
    # Also of one that was given up: it may be asked for again, and the page says how it stands.
    LetterKind.NEW_ADDRESS: and_(_IS_ASKED, AddressChangeRow.new_agreed_at.is_(None)),
    LetterKind.LEAVE_ADDRESS: and_(
        _IS_ASKED, AddressChangeRow.old_agreed_at.is_(None), AddressChangeRow.undone_at.is_(None)
    ),
    LetterKind.OLD_ADDRESS: and_(
        AddressChangeRow.confirmed_at.is_not(None), AddressChangeRow.undone_at.is_(None)
    ),
}
_KEY_OF = {
    LetterKind.NEW_ADDRESS: AddressChangeRow.new_key,
    LetterKind.LEAVE_ADDRESS: AddressChangeRow.old_key,
    LetterKind.OLD_ADDRESS: AddressChangeRow.old_key,
}


def tells_of_change(
    kind: InstrumentedAttribute[str],
    subscriber_id: InstrumentedAttribute[int | None],
    key: InstrumentedAttribute[str],
) -> Exists:
    """Return the condition that a letter, of which these are columns, is about a change that is not over."""
    return exists().where(
        AddressChangeRow.subscriber_id == subscriber_id,
        or_(*(and_(kind == one.value, is_open, _KEY_OF[one] == key) for one, is_open in _IS_OPEN.items())),
    )


def _change(row: AddressChangeRow) -> AddressChange:
    return AddressChange(
        ChangeId(row.id),
        SubscriberId(row.subscriber_id),
        NewsletterId(row.newsletter_id),
        row.old_email,
        row.new_email,
        row.asked_at,
        row.confirmed_at,
        row.undone_at,
        row.old_agreed_at,
        row.new_agreed_at,
    )
