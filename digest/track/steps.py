"""What subscribers do with the links in their mail.

Links are clicked twice, late, and by two people at once. So each change names the states it leaves in the
condition of its UPDATE, and what came of it is returned for a page to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.domain.departures import UNDO_WITHIN
from digest.domain.erasing import ErasureKeys
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.domain.topics import TopicSlug
from digest.store.asks import take_ask
from digest.store.consents import add_consent
from digest.store.database import writing
from digest.store.deliveries import cancel_for_subscriber
from digest.store.departures import find_departure, record_departure
from digest.store.erasures import forget_erased
from digest.store.leaving import came_back, last_sent, lock_standing
from digest.store.letters import queue_letter
from digest.store.newsletters import newsletter_by_id
from digest.store.reader_locks import hold_readers
from digest.store.reader_pauses import end_pauses, set_pause_end
from digest.store.subscribers import (
    find_address,
    grant_wishes,
    set_follows,
    set_subscription_state,
    subscription_of,
)
from digest.store.suppressions import is_suppressed
from digest.track.counting import FOR_GOOD
from digest.track.measuring import agree_anew, take_back

log = structlog.get_logger(__name__)

NO_KEYS = ErasureKeys(())
_LEFT = (SubscriptionState.UNSUBSCRIBED,)
_AWAY = (SubscriptionState.UNSUBSCRIBED, SubscriptionState.PAUSED)


class Change(Enum):
    """What came of a link. Nothing is different afterwards but for `DONE` and `SUPPRESSED`."""

    DONE = auto()
    SUPPRESSED = auto()
    """They are back, but their address is never mailed: it bounced, or they complained."""
    ALREADY = auto()
    """It was so before: a second click, or two at once."""
    NOT_FROM_HERE = auto()
    """The subscription is in a state that this link does not lead out of, such as never confirmed."""
    NEVER_CONFIRMED = auto()
    """They left without ever having confirmed it: only who asks anew comes back."""
    TOO_LATE = auto()
    """They left longer ago than a click takes back (`UNDO_WITHIN`): a new sign-up does."""
    REMOVED = auto()
    """There is no such subscription any more. A link does not make one."""


def unsubscribe(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    says_goodbye: bool = False,
) -> Change:
    """Stop a newsletter for a subscriber. Nothing is armed for them after this has returned.

    Once is enough: a second click changes nothing, so the day somebody left is kept. With `says_goodbye` a
    newsletter that wants it mails them a goodbye, which is the one letter that then still goes out.
    """
    with writing(engine) as session:
        change, cancelled = unsubscribe_within(session, newsletter_id, subscriber_id, now=now)
        if says_goodbye and change is Change.DONE:
            say_goodbye(session, newsletter_id, subscriber_id, now=now)
    if change is Change.DONE or cancelled:
        log.info(
            "subscriber.unsubscribed", subscriber=subscriber_id, newsletter=newsletter_id, cancelled=cancelled
        )
    return change


def unsubscribe_within(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    act: int | None = None,
) -> tuple[Change, int]:
    """Unsubscribe in the caller's transaction; return what came of it, and how many mails will not go out.

    What is left in one `act` is taken back in one; None begins a new act.
    """
    before = lock_standing(session, newsletter_id, subscriber_id)
    others = frozenset(SubscriptionState) - {SubscriptionState.UNSUBSCRIBED}
    change = _move(
        session, newsletter_id, subscriber_id, SubscriptionState.UNSUBSCRIBED, only_from=others, now=now
    )
    if before and change is Change.DONE:
        was, paused_until = before
        record_departure(
            session,
            newsletter_id,
            subscriber_id,
            now=now,
            issue_id=last_sent(session, newsletter_id, subscriber_id),
            was=was,
            paused_until=paused_until,
            act=act,
        )
    return change, cancel_for_subscriber(session, newsletter_id, subscriber_id)


def say_goodbye(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> None:
    """Queue the goodbye of somebody who has just left, where their newsletter wants it.

    Who never confirmed is mailed no more: somebody else may have typed their address.
    """
    left = find_departure(session, newsletter_id, subscriber_id)
    was_pending = left is not None and left.was is SubscriptionState.PENDING
    if not was_pending and newsletter_by_id(session, newsletter_id).goodbye:
        queue_letter(session, LetterKind.GOODBYE, newsletter_id, subscriber_id, now=now)


def confirm(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    wording: str = "",
    measuring: str = "",
    network: str = "",
    erasure_keys: ErasureKeys = NO_KEYS,
    measured_for: timedelta = FOR_GOOD,
) -> Change:
    """Begin a subscription that waited for its reader to say so; a newsletter that wants it welcomes them.

    What was asked for is done with it, once. Who unsubscribed before comes back by that alone: without having
    asked anew, an old link brings nobody back. `wording` and `network` are recorded with the consent, and so
    is what they were shown of `measuring`; with '' they are not measured, as `take_back` has it. Whoever was
    erased, as `erasure_keys` tell, is not any more.
    """
    with writing(engine) as session:
        hold_readers(session, [subscriber_id])
        asked = take_ask(session, newsletter_id, subscriber_id)
        change = _move(
            session,
            newsletter_id,
            subscriber_id,
            SubscriptionState.ACTIVE,
            only_from=(SubscriptionState.PENDING, *(_LEFT if asked else ())),
            now=now,
        )
        if change is Change.DONE:
            if asked:
                grant_wishes(session, newsletter_id, subscriber_id, asked.wishes)
            consent = Consent(
                ConsentAct.CONFIRMED,
                ConsentSource.MAIL,
                at=now,
                recorded_at=now,
                wording=wording,
                network=network,
            )
            add_consent(session, newsletter_id, subscriber_id, consent)
            said = replace(consent, wording=measuring)
            if measuring and asked and asked.wishes.may_measure:
                agree_anew(session, newsletter_id, subscriber_id, said, measured_for=measured_for)
            else:
                take_back(session, newsletter_id, subscriber_id, said, measured_for=measured_for)
            forget_erased(session, erasure_keys, find_address(session, subscriber_id) or "")
            welcome(session, newsletter_id, subscriber_id, now=now)
    if change is Change.DONE:
        log.info("subscriber.confirmed", subscriber=subscriber_id, newsletter=newsletter_id)
    return change


def welcome(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> bool:
    """Queue the welcome of a new subscriber where their newsletter wants it; return whether there is one."""
    if not newsletter_by_id(session, newsletter_id).welcome:
        return False
    return queue_letter(session, LetterKind.WELCOME, newsletter_id, subscriber_id, now=now) is not None


def pause(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    until: datetime | None = None,
) -> Change:
    """Send nothing more until the subscriber comes back, at `until` by themselves.

    Nothing is armed after this has returned. Of a subscription that is paused already, the end is changed.
    """
    with writing(engine) as session:
        active = (SubscriptionState.ACTIVE,)
        change = _move(
            session,
            newsletter_id,
            subscriber_id,
            SubscriptionState.PAUSED,
            only_from=active,
            now=now,
            until=until,
        )
        if change is Change.ALREADY:
            set_pause_end(session, newsletter_id, subscriber_id, until)
        cancelled = (
            cancel_for_subscriber(session, newsletter_id, subscriber_id) if change is Change.DONE else 0
        )
    if change is Change.DONE:
        log.info("subscriber.paused", subscriber=subscriber_id, newsletter=newsletter_id, cancelled=cancelled)
    return change


def let_return(engine: Engine, *, now: datetime) -> int:
    """Send again to everybody whose pause is over by now; return how many those are."""
    with writing(engine) as session:
        returned = end_pauses(session, now=now)
    if returned:
        log.info("subscribers.returned", count=returned)
    return returned


def restart(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    said: Consent | None = None,
    measured_for: timedelta = FOR_GOOD,
) -> Change:
    """Send the newsletter again to somebody who paused, or unsubscribed a short while ago.

    Who never confirmed does not now, nor by having unsubscribed meanwhile. None `said` so but they
    themselves. Of who had left, what somebody else said is recorded, and they are measured no more, as
    `take_back` has it.
    """
    with writing(engine) as session:
        standing = lock_standing(session, newsletter_id, subscriber_id)
        left = find_departure(session, newsletter_id, subscriber_id)
        was_pending = left is not None and left.was is SubscriptionState.PENDING
        if standing and standing[0] is SubscriptionState.UNSUBSCRIBED and was_pending:
            return Change.NEVER_CONFIRMED
        change = _bring_back(
            session, newsletter_id, subscriber_id, SubscriptionState.ACTIVE, only_from=_AWAY, now=now
        )
        has_left = standing is not None and standing[0] is SubscriptionState.UNSUBSCRIBED
        if said and has_left and change in (Change.DONE, Change.SUPPRESSED):
            add_consent(session, newsletter_id, subscriber_id, said)
            take_back(session, newsletter_id, subscriber_id, said, measured_for=measured_for)
    if change in (Change.DONE, Change.SUPPRESSED):
        log.info("subscriber.resubscribed", subscriber=subscriber_id, newsletter=newsletter_id)
    return change


def take_back_within(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> Change:
    """Take an unsubscription back in the caller's transaction: the subscription becomes what it was.

    Who was never confirmed is not by this, and who had paused stays away until the day they said. Who
    unsubscribed is only brought back for `UNDO_WITHIN`.
    """
    standing = lock_standing(session, newsletter_id, subscriber_id)
    if standing is None:
        return Change.REMOVED
    if standing[0] is not SubscriptionState.UNSUBSCRIBED:
        back = came_back(session, newsletter_id, subscriber_id)
        was_it = any(one.newsletter_id == newsletter_id for one in back)
        is_here = standing[0] is SubscriptionState.ACTIVE
        return Change.ALREADY if is_here or was_it else Change.NOT_FROM_HERE
    left = find_departure(session, newsletter_id, subscriber_id)
    state, until = left.back_to(now) if left else (SubscriptionState.ACTIVE, None)
    return _bring_back(session, newsletter_id, subscriber_id, state, only_from=_LEFT, now=now, until=until)


def _bring_back(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    to: SubscriptionState,
    *,
    only_from: Collection[SubscriptionState],
    now: datetime,
    until: datetime | None = None,
) -> Change:
    change = _move(
        session,
        newsletter_id,
        subscriber_id,
        to,
        only_from=only_from,
        now=now,
        until=until,
        left_since=now - UNDO_WITHIN,
    )
    if change is Change.DONE and _is_never_mailed(session, newsletter_id, subscriber_id):
        return Change.SUPPRESSED
    return change


def _move(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    to: SubscriptionState,
    *,
    only_from: Collection[SubscriptionState],
    now: datetime,
    until: datetime | None = None,
    left_since: datetime | None = None,
) -> Change:
    hold_readers(session, [subscriber_id])
    if set_subscription_state(
        session,
        newsletter_id,
        subscriber_id,
        to,
        only_from=only_from,
        now=now,
        until=until,
        left_since=left_since,
    ):
        return Change.DONE
    found = subscription_of(session, newsletter_id, subscriber_id)
    if found is None:
        return Change.REMOVED
    if left_since and found.state is SubscriptionState.UNSUBSCRIBED and found.state in only_from:
        return Change.TOO_LATE
    return Change.ALREADY if found.state is to else Change.NOT_FROM_HERE


def _is_never_mailed(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> bool:
    found = subscription_of(session, newsletter_id, subscriber_id)
    return found is not None and is_suppressed(session, found.subscriber.email)


def follow(
    engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId, topics: Iterable[TopicSlug]
) -> None:
    """Let a subscriber follow exactly these topics, from the next issue on. Raises `NotFound`."""
    with writing(engine) as session:
        set_follows(session, newsletter_id, subscriber_id, topics)
