"""Sign-ups taken in, a page at a time: by mail alone, the new are asked to confirm, and the known told so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.consents import Consent, ConsentAct
from digest.domain.endpoints import EventKind
from digest.domain.erasing import NO_MARKS, ErasureKeys
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUp, SignUpOutcome, Wishes
from digest.domain.subscribers import SubscriberId, SubscriptionState, email_key
from digest.intake.sign_ups.caps import Caps, Count, caps_on
from digest.store.announcements import announce
from digest.store.asks import put_asks, who_asked
from digest.store.attempts import add_attempts, attempts_among
from digest.store.consents import add_consents
from digest.store.database import writing
from digest.store.erasures import erased_among, may_be_asked
from digest.store.letters import queue_letters
from digest.store.sign_ups import drop_sign_ups, lock_sign_ups, oldest_sign_ups, tally_sign_ups
from digest.store.subscribers import ids_of
from digest.store.subscription_lists import Known, WantedSubscription, known_among, subscribe_all

log = structlog.get_logger(__name__)

PAGE = 200
"""Sign-ups in a transaction: pages that take in more wait some hundredths of a second for it."""

_HERE = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)


def take_in(
    engine: Engine, caps: Caps, *, erasure_keys: ErasureKeys, now: datetime
) -> Counter[SignUpOutcome]:
    """Take in the page of sign-ups that has waited longest; return what became of them, nothing for none.

    Who was erased, as `erasure_keys` tell, is asked again as seldom as `may_be_asked` says.
    """
    with writing(engine) as session:
        lock_sign_ups(session)
        waiting = oldest_sign_ups(session, most=PAGE)
        if not waiting:
            return Counter()
        counts = _settle(session, [sign_up for _, sign_up in waiting], caps, erasure_keys, now)
        drop_sign_ups(session, [number for number, _ in waiting])
    done: Counter[SignUpOutcome] = Counter()
    for (_, outcome), count in counts.items():
        done[outcome] += count
    log.info("sign_ups.taken_in", **{outcome.value: count for outcome, count in sorted(done.items())})
    return done


def _settle(
    session: Session, sign_ups: Sequence[SignUp], caps: Caps, erasure_keys: ErasureKeys, now: datetime
) -> Counter[tuple[NewsletterId, SignUpOutcome]]:
    keys = {cap.key for sign_up in sign_ups for cap in caps_on(sign_up, caps)}
    count = Count(attempts_among(session, keys, now=now))
    erased = erased_among(session, erasure_keys, {one.email for one in sign_ups})

    def may_be_mailed(one: SignUp) -> bool:
        return email_key(one.email) not in erased or may_be_asked(session, erasure_keys, one.email, now=now)

    of_newsletter: dict[NewsletterId, list[SignUp]] = defaultdict(list)
    for sign_up in sign_ups:
        of_newsletter[sign_up.newsletter_id].append(sign_up)
    done: Counter[tuple[NewsletterId, SignUpOutcome]] = Counter()
    for newsletter_id, those in of_newsletter.items():
        mailboxes = {email_key(one.email) for one in those}
        known = known_among(session, newsletter_id, mailboxes, marked=NO_MARKS)
        outcomes = [
            _outcome(one, known.get(email_key(one.email), Known()), caps, count, may_be_mailed)
            for one in those
        ]
        _write(session, newsletter_id, list(zip(those, outcomes, strict=True)), known, now)
        done.update((newsletter_id, outcome) for outcome in outcomes)
    add_attempts(session, count.added(now=now), now=now)
    tally_sign_ups(session, done, now=now)
    return done


def _outcome(
    sign_up: SignUp, known: Known, caps: Caps, count: Count, may_be_mailed: Callable[[SignUp], bool]
) -> SignUpOutcome:
    if sign_up.is_trapped:
        return SignUpOutcome.TRAPPED
    if known.is_suppressed:
        return SignUpOutcome.SUPPRESSED
    if over := count.first_over(caps_on(sign_up, caps)):
        return over
    if known.state in _HERE:
        return SignUpOutcome.REMINDED
    return SignUpOutcome.ASKED if may_be_mailed(sign_up) else SignUpOutcome.PER_ADDRESS


def _write(
    session: Session,
    newsletter_id: NewsletterId,
    settled: Sequence[tuple[SignUp, SignUpOutcome]],
    known: Mapping[str, Known],
    now: datetime,
) -> None:
    by_key = {outcome: _by_key(settled, outcome) for outcome in SignUpOutcome}
    asked, reminded = by_key[SignUpOutcome.ASKED], by_key[SignUpOutcome.REMINDED]
    again = by_key[SignUpOutcome.PER_ADDRESS]
    new = [one for key, one in asked.items() if known.get(key, Known()).state is None]
    subscribe_all(
        session,
        newsletter_id,
        [WantedSubscription(one.email, state=SubscriptionState.PENDING) for one in new],
        now=now,
    )
    ids = ids_of(session, {*asked, *reminded, *again})
    waiting = who_asked(session, newsletter_id, [ids[key] for key in again if key in ids])
    wishes: dict[SubscriberId, Wishes] = {ids[key]: one.wishes for key, one in asked.items()}
    # Whose mail is on its way already, and who has thought better of the topics: the link has the last ones.
    wishes |= {
        ids[key]: one.wishes
        for key, one in again.items()
        if key in ids and (ids[key] in waiting or ids[key] in wishes)
    }
    put_asks(session, newsletter_id, wishes, now=now)
    add_consents(session, newsletter_id, {key: _consent(one, now) for key, one in asked.items()}.items())
    for kind, those in ((LetterKind.CONFIRMATION, asked), (LetterKind.PREFERENCES, reminded)):
        queue_letters(
            session, kind, newsletter_id, {ids[key]: one.email for key, one in those.items()}, now=now
        )
    if new:
        told = [{"newsletter": newsletter_id, "subscriber": ids[email_key(one.email)]} for one in new]
        pending = SubscriptionState.PENDING.value
        announce(session, EventKind.SUBSCRIBER_PENDING, *({**one, "state": pending} for one in told), now=now)


def _by_key(settled: Sequence[tuple[SignUp, SignUpOutcome]], outcome: SignUpOutcome) -> dict[str, SignUp]:
    """Return the last sign-up of each mailbox that came to this."""
    return {email_key(one.email): one for one, came_to in settled if came_to is outcome}


def _consent(sign_up: SignUp, now: datetime) -> Consent:
    return Consent(
        ConsentAct.ASKED,
        sign_up.source,
        at=sign_up.at,
        recorded_at=now,
        wording=sign_up.wording,
        network=sign_up.network,
    )
