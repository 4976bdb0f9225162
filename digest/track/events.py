"""What somebody who may be believed says became of a mail: a provider's webhook, or our mail server's log.

Unlike a mail that came back, whoever told it is known, so a Message-ID is enough to say whose it is. Events
come twice, late and in any order: what they change they change once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.bounces import Meaning
from digest.domain.deliveries import DeliveryId
from digest.domain.erasing import ErasureKeys
from digest.domain.errors import Refused
from digest.domain.subscribers import email_key
from digest.domain.suppressions import SuppressionReason
from digest.store.bounces import suppress_bounced
from digest.store.database import plan_by_values, writing
from digest.store.erasures import erased_among
from digest.store.open_outcomes import accept_by_evidence
from digest.store.reader_locks import hold_marks, hold_readers
from digest.store.returned import (
    Effect,
    NamedDelivery,
    NewReturned,
    find_named_deliveries,
    readers_of_named,
    record_all_returned,
    set_effect,
)
from digest.store.webhooks import forget_events, is_used_for_another, remember_events
from digest.track.effects import follow_from
from digest.track.reports import Action, RecipientReport
from digest.track.steps import Change, unsubscribe_within
from digest.track.verdicts import Verdict, judge_recipients

log = structlog.get_logger(__name__)

BELIEVED_FOR = timedelta(days=3)
"""How old what is signed may be: longer than every provider tries again (SendGrid a day, Mailgun 8 hours)."""

REMEMBERED_FOR = 2 * BELIEVED_FOR
"""Longer than a signature is believed: whatever comes again is known, or too old."""


class EventKind(StrEnum):
    """What an event says became of a mail."""

    TAKEN = "taken"
    """The provider has it."""
    DELIVERED = "delivered"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


_GOOD = frozenset({EventKind.TAKEN, EventKind.DELIVERED})


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `id` is unique among its teller's, also over time; copies share it.

    `names` are what the mail may be known by: our Message-ID in angle brackets, `PROVIDER:NAME`. `email` is
    the recipient, '' where it is not told. `status` (RFC 3463) and `diagnostic` are the receiver's, '' for
    none; `otherwise` is what the teller takes it for, which counts where there is no status.
    """

    id: str
    kind: EventKind
    names: tuple[str, ...]
    email: str
    status: str = ""
    diagnostic: str = ""
    otherwise: Meaning | None = None
    must_match: bool = False
    """What is about no mail of ours is not even listed."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event that changed something, or that people may want to know of. `email` may be ''."""

    event: Event
    meaning: Meaning
    effect: Effect
    email: str
    detail: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a teller signs one request with, and a digest of what came with it."""

    value: str
    digest: str


@dataclass(frozen=True, slots=True)
class EventsTaken:
    """What a page of events came to: how many, how many of deliveries of ours, and those that say something.

    Copies of what was taken in before are neither.
    """

    events: int
    matched: int
    settled: int
    told: tuple[Told, ...]

    def __add__(self, other: EventsTaken) -> EventsTaken:
        """Return what two pages came to together."""
        return EventsTaken(
            self.events + other.events,
            self.matched + other.matched,
            self.settled + other.settled,
            self.told + other.told,
        )


def take_events(
    engine: Engine,
    events: Sequence[Event],
    *,
    via: str,
    now: datetime,
    token: Token | None = None,
    keys: ErasureKeys | None = None,
    is_trial: bool = False,
) -> EventsTaken:
    """Do what events call for, in one transaction: all of them, or none when this raises.

    `via` names who told them, as in `webhook:ses`. Raises `Refused` when the `token` came before with
    something else, and what `told` raises. A trial changes nothing. Of readers who were erased nothing is
    kept: their mails are known, and other events by `keys`.
    """
    with writing(engine) as session:
        plan_by_values(session)
        if keys:
            # A complaint about a stranger keeps the address, so nobody is erased in between.
            hold_marks(session)
        if token and is_used_for_another(session, _key(via, "token", token.value), token.digest, now=now):
            raise Refused("its token was used before, for something else")
        _hold_readers(session, events)
        named = find_named_deliveries(session, {name for event in events for name in event.names})
        found = [(event, _delivery_of(event, named)) for event in events]
        strangers = [event.email for event, delivery in found if delivery is None and event.email]
        erased = erased_among(session, keys, strangers) if keys else frozenset()
        pairs = [_unnamed(*pair) for pair in found if email_key(pair[0].email) not in erased]
        # Whatever became of it: the server had it.
        settled = accept_by_evidence(session, _held(pairs), now=now)
        told = tuple(_take(session, pairs, settled, via=via, now=now))
        forget_events(session, before=now - REMEMBERED_FOR)
        if is_trial:
            session.rollback()
    matched = sum(1 for _, found in pairs if found)
    if not is_trial:
        _log(via, told)
    return EventsTaken(len(events), matched, len(settled), told)


def _hold_readers(session: Session, events: Iterable[Event]) -> None:
    """Lock readers before their mails, as who erases them does. Nothing follows for who got a good one."""
    names = {name for event in events if event.kind not in _GOOD for name in event.names}
    if names:
        hold_readers(session, readers_of_named(session, names))


def _delivery_of(event: Event, named: dict[str, NamedDelivery]) -> NamedDelivery | None:
    return next((named[name] for name in event.names if name in named), None)


def _unnamed(event: Event, found: NamedDelivery | None) -> tuple[Event, NamedDelivery | None]:
    """Return an event with its delivery, without any word of the reader where they were erased."""
    is_erased = found is not None and not found.delivery.email
    return (replace(event, email="", diagnostic="") if is_erased else event), found


def _held(pairs: Iterable[tuple[Event, NamedDelivery | None]]) -> dict[DeliveryId, str]:
    """Return which deliveries their teller had, each with its name there, '' where no event says it."""
    held: dict[DeliveryId, str] = {}
    for event, found in pairs:
        if found is not None:
            theirs = next((name for name in event.names if not name.startswith("<")), "")
            held[found.delivery.id] = theirs or held.get(found.delivery.id, "")
    return held


def _take(
    session: Session,
    pairs: Iterable[tuple[Event, NamedDelivery | None]],
    settled: frozenset[DeliveryId],
    *,
    via: str,
    now: datetime,
) -> Iterator[Told]:
    """Record and apply, by address: two pages that each wait for the other's reader would wait for ever."""
    heavy = {
        _key(via, event.kind, event.id): (event, found)
        for event, found in sorted(pairs, key=lambda pair: email_key(pair[0].email))
        if _weighs(event, found, settled)
    }
    fresh = remember_events(session, heavy, now=now)
    judged = {
        key: (event, found, _judged(event, found, now=now))
        for key, (event, found) in heavy.items()
        if key in fresh
    }
    listed = [
        _new(key, *one, via=via, now=now) for key, one in judged.items() if _is_listed(*one[1:], settled)
    ]
    numbers = record_all_returned(session, listed)
    changed: dict[Effect, list[int]] = {}
    for new in listed:
        if new.key in numbers:
            event, found, verdict = judged[new.key]
            effect = _effect(session, new, found, verdict, now=now)
            if effect is Effect.NONE and _is_evidence(found, settled):
                effect = Effect.SETTLED
            changed.setdefault(effect, []).append(numbers[new.key])
            if effect is Effect.TOLD:
                # Seen by the next of the same domain, which is told once.
                set_effect(session, [numbers[new.key]], effect)
            yield Told(event, verdict.meaning, effect, new.email, verdict.detail)
    for effect, which in changed.items():
        set_effect(session, which, effect)


def _is_evidence(found: NamedDelivery | None, settled: frozenset[DeliveryId]) -> bool:
    return found is not None and found.delivery.id in settled


def _is_listed(found: NamedDelivery | None, verdict: Verdict, settled: frozenset[DeliveryId]) -> bool:
    return _is_evidence(found, settled) or verdict.meaning not in (Meaning.NOTHING, Meaning.DELAYED)


def _new(
    key: str, event: Event, found: NamedDelivery | None, verdict: Verdict, *, via: str, now: datetime
) -> NewReturned:
    return NewReturned(
        key=key,
        received_at=now,
        via=via,
        kind=event.kind,
        meaning=verdict.meaning,
        delivery_id=found.delivery.id if found else None,
        email=found.delivery.email if found else event.email,
        status=verdict.status,
        detail=verdict.detail,
    )


def _weighs(event: Event, found: NamedDelivery | None, settled: frozenset[DeliveryId]) -> bool:
    """Whether an event can change anything, or is for people to see: a million good deliveries are not."""
    if event.kind in _GOOD or (found is not None and not found.delivery.email):
        return _is_evidence(found, settled)
    return found is not None or not (event.must_match or event.kind is EventKind.DELAYED)


def _judged(event: Event, found: NamedDelivery | None, *, now: datetime) -> Verdict:
    match event.kind:
        case EventKind.COMPLAINED:
            return Verdict(Meaning.COMPLAINT, detail=f"complaint: {event.diagnostic}".rstrip(": "))
        case _ if found is None:
            why = "it is about no issue's mail, or one that is gone"
            return Verdict(Meaning.UNKNOWN, event.status, "; ".join(filter(None, [why, event.diagnostic])))
        case EventKind.UNSUBSCRIBED:
            return Verdict(Meaning.UNSUBSCRIBED, detail=event.diagnostic)
        case EventKind.TAKEN | EventKind.DELIVERED:
            return Verdict(Meaning.NOTHING, event.status, event.diagnostic)
        case _:
            return _judged_failure(event, found, now=now)


def _judged_failure(event: Event, found: NamedDelivery, *, now: datetime) -> Verdict:
    """Judge by the receiver's code, as a report that came as mail is; without one by the teller's word."""
    action = Action.FAILED if event.kind is EventKind.BOUNCED else Action.DELAYED
    report = RecipientReport("", event.email, action, event.status, event.diagnostic)
    verdict = judge_recipients([report], found.delivery, now=now)
    has_code = verdict.status and not verdict.status.endswith(".0.0")
    if event.otherwise is None or has_code:
        return verdict
    is_other = event.email and email_key(event.email) != email_key(found.delivery.email)
    is_gone = event.otherwise is Meaning.GONE
    return replace(verdict, meaning=Meaning.SOFT if is_gone and is_other else event.otherwise)


def _effect(
    session: Session, new: NewReturned, found: NamedDelivery | None, verdict: Verdict, *, now: datetime
) -> Effect:
    if verdict.meaning is Meaning.UNSUBSCRIBED and found is not None:
        change, _ = unsubscribe_within(session, found.newsletter_id, found.subscriber_id, now=now)
        return Effect.UNSUBSCRIBED if change is Change.DONE else Effect.KNOWN
    if found is not None:
        return follow_from(session, verdict, found.delivery, now=now)
    if verdict.meaning is Meaning.COMPLAINT and new.email:
        # Whoever called one mail of this account spam gets none of it, whichever it was.
        is_new = suppress_bounced(
            session, new.email, verdict.detail, reason=SuppressionReason.COMPLAINT, now=now
        )
        return Effect.SUPPRESSED if is_new else Effect.KNOWN
    return Effect.NONE


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _log(via: str, told: Iterable[Told]) -> None:
    """Log without addresses, and counted: what came back is listed where it can be erased."""
    for (kind, meaning, effect), count in Counter(
        (one.event.kind, one.meaning, one.effect) for one in told
    ).items():
        log.info("events.taken", via=via, kind=kind, meaning=meaning, effect=effect, count=count)
