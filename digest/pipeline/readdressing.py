"""A reader's new address: asked for by their link, agreed to by both mailboxes, undone from the old one.

Whoever has a mail of somebody's has their link, so the link alone moves nothing: each mailbox is mailed one
of its own, and with the second yes the reader's mail goes to the new address.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from sqlalchemy.orm import Session

from digest.domain.errors import Conflict, NotFound, Overtaken
from digest.domain.letters import CONFIRM_WITHIN, UNDO_WITHIN, LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, email_key
from digest.intake.addresses import parse_new_address
from digest.intake.sign_ups.caps import Count, caps_on_mailbox, mailbox_of
from digest.runtime import Runtime
from digest.store.address_changes import (
    AddressChange,
    add_change,
    ask_once_more,
    find_asked,
    find_change,
    find_reader_address,
    forget_new_yes,
    give_up_others,
    is_taken,
    lock_reader,
    mark_agreed,
    mark_confirmed,
    mark_undone,
    set_address,
)
from digest.store.attempts import add_attempts, attempts_among, count_attempts
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.erasures import forget_erased, is_erased, may_be_asked
from digest.store.letters import queue_letter
from digest.store.never_asked import is_never_asked_since, never_asked_among
from digest.store.newsletters import get_newsletter
from digest.store.reader_locks import hold_marks
from digest.store.sign_ups import lock_sign_ups
from digest.store.subscribers import get_subscription, subscription_of
from digest.store.suppressions import is_suppressed

log = structlog.get_logger(__name__)

ASKED_A_DAY = 3
"""Changes a reader may ask for in a day: their link must not become a way to mail strangers."""

AGAIN_AFTER = timedelta(days=1)
"""Whoever asks for the same address before that is told that it was done; nothing more is mailed."""


class Asked(Enum):
    """What came of asking for a new address."""

    ASKED = auto()
    """Also for an address that somebody has, that is not mailed, or that said yes: nobody learns it here."""
    ASKED_NEW = auto()
    """The new mailbox alone: the one they have has said yes before."""
    AGAIN = auto()
    """That was asked for already, less than a day ago."""
    SAME = auto()
    TOO_OFTEN = auto()
    UNREACHABLE = auto()
    """No mail goes to the address they have, so it cannot agree."""


@dataclass(frozen=True, slots=True)
class Asking:
    """An outcome; `asked_at` is when that was asked for, and before `again_at` nothing comes of asking."""

    outcome: Asked
    asked_at: datetime | None = None
    again_at: datetime | None = None


class Moved(Enum):
    """How a change of address stands, for whom a link about it was mailed to."""

    OPEN = auto()
    """This mailbox was not asked in vain: it has still to agree."""
    HALF = auto()
    """It has agreed, and the other one has not."""
    DONE = auto()
    TOO_LATE = auto()
    TAKEN = auto()
    """Somebody has the address by now, or it may not be mailed any more."""
    OVER = auto()
    """It was taken back, or another change took its place."""


def ask_new_address(
    runtime: Runtime, newsletter_id: NewsletterId, subscriber_id: SubscriberId, email: str
) -> Asking:
    """Mail both addresses a link that agrees to the change. Nothing changes until both have.

    Raises `InvalidInput` for what is no address, and `NotFound` where there is no such subscription.
    """
    address, now = parse_new_address(email), runtime.clock()
    with writing(runtime.engine) as session:
        lock_sign_ups(session)
        hold_marks(session)
        lock_reader(session, subscriber_id)
        found = subscription_of(session, newsletter_id, subscriber_id)
        if found is None:
            raise NotFound(f"subscriber {subscriber_id} of newsletter {newsletter_id} was removed")
        old = found.subscriber.email
        if email_key(old) == email_key(address):
            return Asking(Asked.SAME)
        if is_suppressed(session, old):
            return Asking(Asked.UNREACHABLE)
        change = find_asked(session, subscriber_id, old_email=old, new_email=address)
        if change and change.is_open and now < change.asked_at + AGAIN_AFTER:
            return Asking(Asked.AGAIN, change.asked_at, change.asked_at + AGAIN_AFTER)
        count, until = _counted(session, subscriber_id, now)
        if count > ASKED_A_DAY:
            return Asking(Asked.TOO_OFTEN, again_at=until)
        give_up_others(session, subscriber_id, now=now)
        if change and now <= change.asked_at + CONFIRM_WITHIN:
            # What either mailbox was sent before leads to the same change, and is good again.
            change = ask_once_more(session, change, now=now)
        else:
            change = add_change(
                session, newsletter_id, subscriber_id, old_email=old, new_email=address, now=now
            )
        if change.old_agreed_at is None:
            queue_letter(session, LetterKind.LEAVE_ADDRESS, newsletter_id, subscriber_id, now=now)
        if change.new_agreed_at is None and _may_be_written(session, runtime, address, now):
            queue_letter(session, LetterKind.NEW_ADDRESS, newsletter_id, subscriber_id, now=now, to=address)
    # Whether the new mailbox said yes is not told: until the old one did, who asks may hold a mail passed on.
    return Asking(Asked.ASKED_NEW if change.old_agreed_at else Asked.ASKED, now, now + AGAIN_AFTER)


def _counted(session: Session, subscriber_id: SubscriberId, now: datetime) -> tuple[int, datetime]:
    key = f"new address {subscriber_id}"
    return count_attempts(session, [key], now=now, within=AGAIN_AFTER)[key]


def _may_be_written(session: Session, runtime: Runtime, address: str, now: datetime) -> bool:
    """Tell whether what may be a stranger's mailbox may be asked, and count it as a sign-up's mail.

    Only what spares that mailbox counts: a rush of sign-ups keeps no reader from a new address, and how many
    of those a reader may ask for is counted already.
    """
    if is_taken(session, address) or is_suppressed(session, address):
        return False
    if never_asked_among(session, runtime.erasure_keys, {mailbox_of(address)}):
        return False
    caps = list(caps_on_mailbox(address, runtime.sign_up_caps))
    count = Count(attempts_among(session, {cap.key for cap in caps}, now=now))
    is_over = count.first_over(caps) is not None
    if is_over or not may_be_asked(session, runtime.erasure_keys, address, now=now):
        return False
    add_attempts(session, count.added(now=now), now=now)
    return True


def get_change(runtime: Runtime, change_id: int, subscriber_id: int) -> AddressChange:
    """Return a change that a link is about. Raises `NotFound` when its reader was removed."""
    with reading(runtime.engine) as session:
        found = find_change(session, change_id, subscriber_id)
        if found is None:
            raise NotFound(f"the change of address {change_id} is not there any more")
        return _as_it_is(session, runtime, found)


def _as_it_is(session: Session, runtime: Runtime, change: AddressChange) -> AddressChange:
    """Return a change without the new mailbox's yes where that said after it never to ask it again."""
    if change.new_agreed_at is None or change.confirmed_at is not None:
        return change
    mailbox = mailbox_of(change.new_email)
    is_back = is_never_asked_since(session, runtime.erasure_keys, mailbox, change.new_agreed_at)
    return replace(change, new_agreed_at=None) if is_back else change


def standing_of(runtime: Runtime, change: AddressChange, *, is_new: bool) -> Moved:
    """Return how a change stands for the new mailbox, or for the old one."""
    with reading(runtime.engine) as session:
        return _standing(session, change, is_new, runtime.clock())


def _standing(session: Session, change: AddressChange, is_new: bool, now: datetime) -> Moved:
    has = find_reader_address(session, change.subscriber_id)
    theirs = email_key(has.email) if has else ""
    if change.undone_at is not None:
        return Moved.OVER
    if change.confirmed_at is not None:
        return Moved.DONE if theirs == email_key(change.new_email) else Moved.OVER
    if theirs != email_key(change.old_email):
        return Moved.OVER
    if now > change.asked_at + CONFIRM_WITHIN:
        return Moved.TOO_LATE
    return Moved.HALF if (change.new_agreed_at if is_new else change.old_agreed_at) else Moved.OPEN


def agree(runtime: Runtime, change: AddressChange, *, is_new: bool) -> Moved:
    """Agree to a change from the new mailbox, or the old one; with the second yes it is done.

    It holds for all newsletters of the reader, and the old mailbox is told. Twice is the same as once.
    """
    now = runtime.clock()
    try:
        with writing(runtime.engine) as session:
            lock_sign_ups(session)
            hold_marks(session)
            lock_reader(session, change.subscriber_id)
            found = find_change(session, change.id, change.subscriber_id)
            it = _as_it_is(session, runtime, found) if found else None
            if it and it != found:
                forget_new_yes(session, it.id)
            moved = _agreed(session, runtime, it, is_new, now) if it else Moved.OVER
    except Overtaken:
        # Somebody signed up with it at the same moment.
        return Moved.TAKEN
    if moved is Moved.DONE and change.confirmed_at is None:
        log.info("subscriber.moved", subscriber=change.subscriber_id, newsletter=change.newsletter_id)
    return moved


def _agreed(session: Session, runtime: Runtime, change: AddressChange, is_new: bool, now: datetime) -> Moved:
    standing = _standing(session, change, is_new, now)
    if standing is not Moved.OPEN:
        return standing
    has_other = (change.old_agreed_at if is_new else change.new_agreed_at) is not None
    # Who agrees from the old mailbox alone learns nothing of the new one.
    is_told = is_new or has_other
    if is_told and (is_taken(session, change.new_email) or is_suppressed(session, change.new_email)):
        return Moved.TAKEN
    mark_agreed(session, change.id, is_new=is_new, now=now)
    if not has_other:
        return Moved.HALF
    set_address(session, change.subscriber_id, change.new_email, now=now)
    mark_confirmed(session, change.id, now=now)
    forget_erased(session, runtime.erasure_keys, change.new_email)
    _tell_old(session, change, now)
    return Moved.DONE


def _tell_old(session: Session, change: AddressChange, now: datetime) -> None:
    of_whom = change.newsletter_id, change.subscriber_id
    queue_letter(session, LetterKind.OLD_ADDRESS, *of_whom, now=now, to=change.old_email)


def undoing_of(runtime: Runtime, change: AddressChange) -> Moved:
    """Return how taking a change back stands: OPEN while it can be, DONE once it is."""
    with reading(runtime.engine) as session:
        return _undoing(session, change, runtime.clock())


def _undoing(session: Session, change: AddressChange, now: datetime) -> Moved:
    has = find_reader_address(session, change.subscriber_id)
    if has is None or change.confirmed_at is None:
        return Moved.OVER
    if email_key(has.email) == email_key(change.old_email):
        return Moved.DONE
    if change.undone_at is not None:
        return Moved.OVER
    if now > change.confirmed_at + UNDO_WITHIN:
        return Moved.TOO_LATE
    return Moved.TAKEN if is_taken(session, change.old_email) else Moved.OPEN


def undo_new_address(runtime: Runtime, change: AddressChange) -> Moved:
    """Make the old address the reader's again, wherever the mail has gone on to since."""
    now = runtime.clock()
    try:
        with writing(runtime.engine) as session:
            lock_sign_ups(session)
            hold_marks(session)
            lock_reader(session, change.subscriber_id)
            found = find_change(session, change.id, change.subscriber_id)
            standing = _undoing(session, found, now) if found else Moved.OVER
            if found is None or standing is not Moved.OPEN:
                return standing
            set_address(session, change.subscriber_id, change.old_email, now=now)
            mark_undone(session, found, now=now)
    except Overtaken:
        # Somebody signed up with it at the same moment.
        return Moved.TAKEN
    log.info("subscriber.moved_back", subscriber=change.subscriber_id, newsletter=change.newsletter_id)
    return Moved.DONE


def move_address(runtime: Runtime, slug: str, email: str, new: str, *, by: str) -> str:
    """Give a reader another address at once, as they asked whoever keeps the list, and return it.

    The old address is told, and can take it back. Raises `NotFound` for nobody, `InvalidInput` for what is no
    address, and `Conflict` where it is theirs already, somebody else's, never mailed, erased, or one
    that said never to ask it.
    """
    address, now = parse_new_address(new), runtime.clock()
    with writing(runtime.engine) as session:
        # Before anything is read: a reader who says yes to another change at this moment waits.
        lock_sign_ups(session)
        hold_marks(session)
        newsletter = get_newsletter(session, slug)
        who = get_subscription(session, newsletter.id, email).subscriber
        lock_reader(session, who.id)
        if is_suppressed(session, address):
            raise Conflict(f"{address} is suppressed: 'digest suppression show {address}' tells why")
        if is_erased(session, runtime.erasure_keys, address):
            raise Conflict(
                f"{address} was erased, so nothing was changed: let them ask for it on their settings page, "
                "which mails that mailbox"
            )
        if _is_spared(session, runtime, address, has=who.email):
            raise Conflict(
                f"whoever reads {address} said 'never ask me again', so nothing was changed: let them take "
                "that back by the link in the last mail that asked them, or give you another address"
            )
        if email_key(address) != email_key(who.email) and is_taken(session, address):
            raise Conflict(f"{address} is somebody's already: unsubscribe one of the two")
        if address == who.email:
            raise Conflict(f"{address} is their address already")
        give_up_others(session, who.id, now=now)
        change = add_change(
            session,
            newsletter.id,
            who.id,
            old_email=who.email,
            new_email=address,
            now=now,
            confirmed_at=now,
        )
        set_address(session, who.id, address, now=now)
        _tell_old(session, change, now)
        record(session, by=by, what="subscriber.moved", about=f"{newsletter.slug} {who.id}", now=now)
    log.info("subscriber.moved", subscriber=who.id, newsletter=newsletter.id)
    return address


def _is_spared(session: Session, runtime: Runtime, address: str, *, has: str) -> bool:
    """Tell whether a mailbox wants never to be asked, and is another one than mail goes to already."""
    mailbox = mailbox_of(address)
    return mailbox != mailbox_of(has) and bool(never_asked_among(session, runtime.erasure_keys, {mailbox}))
