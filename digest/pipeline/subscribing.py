"""A subscriber added or changed by whoever keeps the list: one rule for commands and the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.orm import Session

from digest.domain.cadences import parse_cadence
from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.domain.errors import Conflict
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.subscribers import SubscriberId, Subscription, SubscriptionState, email_key
from digest.domain.times import zone
from digest.domain.topics import TopicSlug
from digest.domain.wished import parse_wished_hour
from digest.intake.addresses import parse_address, parse_new_address
from digest.runtime import Runtime
from digest.store.attributes import checked_attributes, put_attributes
from digest.store.consents import add_consent
from digest.store.database import writing
from digest.store.erasures import forget_erased, is_erased
from digest.store.leaving import lock_standing
from digest.store.newsletters import get_newsletter
from digest.store.reader_locks import hold_marks
from digest.store.subscribers import find_subscription, ids_of, subscribe
from digest.track.measuring import take_back
from digest.track.steps import Change, restart, welcome


@dataclass(frozen=True, slots=True)
class WantedBy:
    """What is known of a subscriber: '' and None stay as they are known.

    `follows` are all the topics they follow then. `max_items` of 0 lets a mail hold all articles. `send_at`
    is written as a `WishedHour` is, 'any' being whenever it is sent. Of `attributes` those that are not
    named stay, and '' takes one away.
    """

    follows: Collection[str] | None = None
    name: str = ""
    language: str = ""
    timezone: str = ""
    cadence: str = ""
    max_items: int | None = None
    send_at: str = ""
    text_only: bool | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What came of it: the subscription, its state before (None: it is new), and whether a welcome waits."""

    subscription: Subscription
    before: SubscriptionState | None
    is_welcomed: bool


def put_subscriber(
    runtime: Runtime,
    slug: str,
    email: str,
    wanted: WantedBy,
    *,
    by: str,
    source: ConsentSource,
    again: bool = False,
    is_new: bool = False,
) -> Subscribed:
    """Add a subscriber, or set the wishes of one who is there.

    Whoever begins or comes back asked for it, as `by` says, and that is recorded as their consent.

    `again` also brings back who unsubscribed, paused or was erased; without it the first and the last are a
    `Conflict`, and the others stay away. With `is_new`, who is there and does not come back is a `Conflict`,
    too. Raises `NotFound` for a newsletter or topic, `InvalidInput` for an address, zone, hour, cadence or
    attribute.
    """
    address = parse_address(email)
    with writing(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        hold_marks(session)
        for number in ids_of(session, [email_key(address)]).values():
            lock_standing(session, newsletter.id, number)
        known = find_subscription(session, newsletter.id, address)
        if known is None:
            parse_new_address(address)
        if known and known.state is SubscriptionState.UNSUBSCRIBED and not again:
            raise Conflict(f"{address} unsubscribed; add them with --again only if they asked for it")
        if not known and not again and is_erased(session, runtime.erasure_keys, address):
            raise Conflict(f"{address} was erased; add them with --again only if they asked to come back")
        if known and is_new and (known.state is SubscriptionState.ACTIVE or not again):
            raise Conflict(f"{address} is subscriber {known.subscriber.id} already, and {known.state}")
        state = known.state if known and not again else SubscriptionState.ACTIVE
        is_new = state is SubscriptionState.ACTIVE and (known is None or known.state is not state)
        subscription = set_wishes(runtime, session, newsletter, address, known, wanted, state=state)
        forget_erased(session, runtime.erasure_keys, address)
        now = runtime.clock()
        if is_new:
            consent = Consent(ConsentAct.ADDED, source, at=now, recorded_at=now, by=by)
            add_consent(session, newsletter.id, subscription.subscriber.id, consent)
            if known and known.state is not SubscriptionState.PAUSED:
                # They asked to be a reader again, and not to be measured.
                take_back(
                    session,
                    newsletter.id,
                    subscription.subscriber.id,
                    consent,
                    measured_for=timedelta(days=runtime.settings.keep_measured_days),
                )
        is_welcomed = is_new and welcome(session, newsletter.id, subscription.subscriber.id, now=now)
    return Subscribed(subscription, known.state if known else None, is_welcomed)


def bring_back(
    runtime: Runtime,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    by: str,
    source: ConsentSource,
) -> Change:
    """Send a newsletter again to somebody who unsubscribed or paused, and asked staff to come back.

    Of who had left that is recorded as their consent, as `by` says. It is none to be measured.
    """
    now = runtime.clock()
    return restart(
        runtime.engine,
        newsletter_id,
        subscriber_id,
        now=now,
        said=Consent(ConsentAct.ADDED, source, at=now, recorded_at=now, by=by),
        measured_for=timedelta(days=runtime.settings.keep_measured_days),
    )


def set_wishes(
    runtime: Runtime,
    session: Session,
    newsletter: Newsletter,
    email: str,
    known: Subscription | None,
    wanted: WantedBy,
    *,
    state: SubscriptionState,
) -> Subscription:
    """Store what a subscriber wants, in the caller's transaction. Raises as `put_subscriber` does."""
    if wanted.timezone:
        zone(wanted.timezone)
    follows = (known.follows if known else ()) if wanted.follows is None else wanted.follows
    attributes = checked_attributes(wanted.attributes)
    subscription = subscribe(
        session,
        newsletter.id,
        email=email,
        follows=map(TopicSlug, follows),
        name=wanted.name,
        language=wanted.language,
        timezone=wanted.timezone,
        cadence=parse_cadence(wanted.cadence, newsletter.cadences) if wanted.cadence else None,
        max_items=wanted.max_items,
        send_at=parse_wished_hour(wanted.send_at) if wanted.send_at else None,
        text_only=wanted.text_only,
        state=state,
        now=runtime.clock(),
    )
    put_attributes(session, newsletter.id, {subscription.subscriber.id: attributes})
    return subscription
