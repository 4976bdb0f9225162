"""A reader's new address: asked for by their link, confirmed from the new one, undone from the old."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

import structlog
from sqlalchemy.orm import Session

from digest.domain.errors import Conflict, NotFound, Overtaken
from digest.domain.letters import CONFIRM_WITHIN, UNDO_WITHIN, LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, email_key
from digest.intake.addresses import parse_address
from digest.runtime import Runtime
from digest.store.address_changes import (
    AddressChange,
    add_change,
    count_asked,
    find_change,
    is_taken,
    mark_confirmed,
    mark_undone,
    set_address,
)
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.letters import queue_letter
from digest.store.newsletters import get_newsletter
from digest.store.subscribers import get_subscription, is_suppressed, subscription_of

log = structlog.get_logger(__name__)

ASKED_A_DAY = 3
"""Changes a reader may ask for in a day: their link must not become a way to mail strangers."""


class Asked(Enum):
    """What came of asking for a new address."""

    ASKED = auto()
    """Also for an address that somebody has or that is never mailed: nobody learns that here."""
    SAME = auto()
    TOO_OFTEN = auto()


class Moved(Enum):
    """What came of a link about an address."""

    DONE = auto()
    ALREADY = auto()
    TOO_LATE = auto()
    TAKEN = auto()
    """Somebody has the address by now, or it may not be mailed any more."""
    OVER = auto()
    """The reader has another address again since."""


def ask_new_address(
    runtime: Runtime, newsletter_id: NewsletterId, subscriber_id: SubscriberId, email: str
) -> Asked:
    """Mail the new address a link that makes it the reader's. Nothing changes until that is used.

    Raises `InvalidInput` for what is no address, and `NotFound` where there is no such subscription.
    """
    address, now = parse_address(email), runtime.clock()
    with writing(runtime.engine) as session:
        found = subscription_of(session, newsletter_id, subscriber_id)
        if found is None:
            raise NotFound(f"subscriber {subscriber_id} of newsletter {newsletter_id} was removed")
        old = found.subscriber.email
        if email_key(old) == email_key(address):
            return Asked.SAME
        if count_asked(session, subscriber_id, since=now - timedelta(days=1)) >= ASKED_A_DAY:
            return Asked.TOO_OFTEN
        add_change(session, newsletter_id, subscriber_id, old_email=old, new_email=address, now=now)
        if not (is_taken(session, address) or is_suppressed(session, address)):
            queue_letter(session, LetterKind.NEW_ADDRESS, newsletter_id, subscriber_id, now=now, to=address)
    return Asked.ASKED


def get_change(runtime: Runtime, change_id: int, subscriber_id: int) -> AddressChange:
    """Return a change that a link is about. Raises `NotFound` when its reader was removed."""
    with reading(runtime.engine) as session:
        found = find_change(session, change_id, subscriber_id)
    if found is None:
        raise NotFound(f"the change of address {change_id} is not there any more")
    return found


def confirm_new_address(runtime: Runtime, change: AddressChange) -> Moved:
    """Make the new address the reader's, for all their newsletters, and tell the old one."""
    now = runtime.clock()
    try:
        with writing(runtime.engine) as session:
            found = find_change(session, change.id, change.subscriber_id, lock=True)
            moved = Moved.OVER if found is None else _confirmable(session, found)
            if now > change.asked_at + CONFIRM_WITHIN and moved is Moved.DONE:
                moved = Moved.TOO_LATE
            if moved is Moved.DONE:
                set_address(session, change.subscriber_id, change.new_email)
                mark_confirmed(session, change.id, now=now)
                _tell_old(session, change, runtime)
    except Overtaken:
        # Somebody signed up with it at the same moment.
        moved = Moved.TAKEN
    if moved is Moved.DONE:
        log.info("subscriber.moved", subscriber=change.subscriber_id, newsletter=change.newsletter_id)
    return moved


def _confirmable(session: Session, change: AddressChange) -> Moved:
    if change.confirmed_at is not None:
        return Moved.OVER if change.undone_at else Moved.ALREADY
    found = subscription_of(session, change.newsletter_id, change.subscriber_id)
    if found is None or email_key(found.subscriber.email) != email_key(change.old_email):
        return Moved.OVER
    if is_taken(session, change.new_email) or is_suppressed(session, change.new_email):
        return Moved.TAKEN
    return Moved.DONE


def _tell_old(session: Session, change: AddressChange, runtime: Runtime) -> None:
    queue_letter(
        session,
        LetterKind.OLD_ADDRESS,
        change.newsletter_id,
        change.subscriber_id,
        now=runtime.clock(),
        to=change.old_email,
    )


def undo_new_address(runtime: Runtime, change: AddressChange) -> Moved:
    """Make the old address the reader's again, where the new one still is theirs."""
    now = runtime.clock()
    try:
        with writing(runtime.engine) as session:
            found = find_change(session, change.id, change.subscriber_id, lock=True)
            moved = Moved.OVER if found is None else _undoable(session, found)
            is_late = found and found.confirmed_at and now > found.confirmed_at + UNDO_WITHIN
            if is_late and moved is Moved.DONE:
                moved = Moved.TOO_LATE
            if moved is Moved.DONE:
                set_address(session, change.subscriber_id, change.old_email)
                mark_undone(session, change.id, now=now)
    except Overtaken:
        # Somebody signed up with it at the same moment.
        moved = Moved.TAKEN
    if moved is Moved.DONE:
        log.info("subscriber.moved_back", subscriber=change.subscriber_id, newsletter=change.newsletter_id)
    return moved


def _undoable(session: Session, change: AddressChange) -> Moved:
    if change.undone_at is not None:
        return Moved.ALREADY
    found = subscription_of(session, change.newsletter_id, change.subscriber_id)
    theirs = found and email_key(found.subscriber.email) == email_key(change.new_email)
    if change.confirmed_at is None or not theirs:
        return Moved.OVER
    return Moved.TAKEN if is_taken(session, change.old_email) else Moved.DONE


def move_address(runtime: Runtime, slug: str, email: str, new: str, *, by: str) -> str:
    """Give a reader another address at once, as they asked whoever keeps the list, and return it.

    The old address is told, and can take it back. Raises `NotFound` for nobody, `InvalidInput` for what is no
    address, and `Conflict` where it is theirs already, somebody else's, or never mailed.
    """
    address, now = parse_address(new), runtime.clock()
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        who = get_subscription(session, newsletter.id, email).subscriber
        if is_suppressed(session, address):
            raise Conflict(f"{address} is suppressed: 'digest suppression show {address}' tells why")
        if email_key(address) != email_key(who.email) and is_taken(session, address):
            raise Conflict(f"{address} is somebody's already: unsubscribe one of the two")
        if address == who.email:
            raise Conflict(f"{address} is their address already")
        change = add_change(
            session,
            newsletter.id,
            who.id,
            old_email=who.email,
            new_email=address,
            now=now,
            confirmed_at=now,
        )
        set_address(session, who.id, address)
        _tell_old(session, change, runtime)
        record(session, by=by, what="subscriber.moved", about=f"{newsletter.slug} {who.id}", now=now)
    log.info("subscriber.moved", subscriber=who.id, newsletter=newsletter.id)
    return address
