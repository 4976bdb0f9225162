"""Sign-ups taken in, a page at a time: by mail alone, the new are asked to confirm, and the known told so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.consents import Consent, ConsentAct
from digest.domain.endpoints import EventKind
from digest.domain.erasing import NO_MARKS, ErasureKeys
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import PUT_OFF, SignUp, SignUpOutcome, Wishes
from digest.domain.subscribers import SubscriberId, SubscriptionState, email_key
from digest.intake.sign_ups.caps import Cap, Caps, Count, cap_on_network, caps_on, mailbox_key, mailbox_of
from digest.store.announcements import announce
from digest.store.asks import put_asks, who_asked
from digest.store.attempts import add_attempts, attempts_among
from digest.store.consents import add_consents
from digest.store.database import writing
from digest.store.erasures import erased_among, may_be_asked
from digest.store.letters import queue_letters
from digest.store.never_asked import never_asked_among
from digest.store.newsletters import newsletter_by_id
from digest.store.put_off_sign_ups import (
    PutOff,
    drop_put_off,
    due_again,
    put_off,
    put_off_once_more,
    room_for,
)
from digest.store.reader_locks import hold_marks
from digest.store.sign_ups import drop_sign_ups, lock_sign_ups, oldest_sign_ups, tally_sign_ups
from digest.store.subscribers import ids_of
from digest.store.subscription_lists import Known, WantedSubscription, known_among, subscribe_all

log = structlog.get_logger(__name__)

PAGE = 200
"""Sign-ups in a transaction: pages that take in more wait some hundredths of a second for it."""

PUT_OFF_FOR = timedelta(days=2)
"""A sign-up that waited so long for a cap is given up: nobody remembers it."""

PUT_OFF_MOST = 50_000
"""Sign-ups that may wait for a cap, of all newsletters together: 25 MB of them."""

_HERE = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A sign-up whose turn it is; `number` is the row in which it waited, None for one that did not."""

    sign_up: SignUp
    since: datetime
    number: int | None = None


def take_in(
    engine: Engine, caps: Caps, *, erasure_keys: ErasureKeys, now: datetime
) -> Counter[SignUpOutcome]:
    """Take in the page of sign-ups that has waited longest; return what became of them, nothing for none.

    First those that were put off and whose time has come. Who was erased, as `erasure_keys` tell, is asked
    again as seldom as `may_be_asked` says.
    """
    with writing(engine) as session:
        lock_sign_ups(session)
        hold_marks(session)
        again = due_again(session, now=now, most=PAGE)
        new = oldest_sign_ups(session, most=PAGE - len(again))
        if not (again or new):
            return Counter()
        turns = [_Turn(one.sign_up, one.since, number) for number, one in again]
        turns += [_Turn(sign_up, now) for _, sign_up in new]
        done = _Round(session, caps, erasure_keys, now, turns).settle()
        drop_sign_ups(session, [number for number, _ in new])
    log.info("sign_ups.taken_in", **{outcome.value: count for outcome, count in sorted(done.items())})
    return done


class _Round:
    """One page of sign-ups, and what is known of all of them."""

    def __init__(
        self, session: Session, caps: Caps, erasure_keys: ErasureKeys, now: datetime, turns: Sequence[_Turn]
    ) -> None:
        sign_ups = [turn.sign_up for turn in turns]
        keys = {cap.key for sign_up in sign_ups for cap in caps_on(sign_up, caps)}
        self._session, self._caps, self._keys, self._now = session, caps, erasure_keys, now
        self._turns = turns
        self._count = Count(attempts_among(session, keys, now=now))
        self._erased = erased_among(session, erasure_keys, {one.email for one in sign_ups})
        mailboxes = {mailbox_of(one.email) for one in sign_ups}
        self._never = never_asked_among(session, erasure_keys, mailboxes)
        self._room: int | None = None

    def settle(self) -> Counter[SignUpOutcome]:
        """Do what is to be done about each; return how many came to what, those put off once more as well."""
        of_newsletter: dict[NewsletterId, list[_Turn]] = defaultdict(list)
        for turn in self._turns:
            of_newsletter[turn.sign_up.newsletter_id].append(turn)
        told: Counter[tuple[NewsletterId, SignUpOutcome]] = Counter()
        done: Counter[SignUpOutcome] = Counter()
        for newsletter_id, turns in of_newsletter.items():
            outcomes = self._settle(newsletter_id, turns)
            done.update(outcomes)
            # Whoever is put off once more was told of when they were for the first time.
            told.update(
                (newsletter_id, outcome)
                for turn, outcome in zip(turns, outcomes, strict=True)
                if turn.number is None or outcome not in PUT_OFF
            )
        add_attempts(self._session, self._count.added(now=self._now), now=self._now)
        tally_sign_ups(self._session, told, now=self._now)
        return done

    def _settle(self, newsletter_id: NewsletterId, turns: Sequence[_Turn]) -> list[SignUpOutcome]:
        mailboxes = {email_key(turn.sign_up.email) for turn in turns}
        known = known_among(self._session, newsletter_id, mailboxes, marked=NO_MARKS)
        is_open = newsletter_by_id(self._session, newsletter_id).sign_up
        outcomes: list[SignUpOutcome] = []
        waits: list[PutOff] = []
        once_more: dict[int, datetime] = {}
        for turn in turns:
            outcome, over = self._outcome(turn, known.get(email_key(turn.sign_up.email), Known()), is_open)
            if over is not None:
                due = self._count.ends(over, now=self._now)
                if turn.number is None:
                    key = mailbox_key(turn.sign_up.email, self._caps)
                    waits.append(PutOff(turn.sign_up, key, turn.since, due))
                else:
                    once_more[turn.number] = due
            outcomes.append(outcome)
        put_off(self._session, newsletter_id, waits)
        put_off_once_more(self._session, once_more)
        numbers = (turn.number for turn in turns if turn.number is not None)
        drop_put_off(self._session, [number for number in numbers if number not in once_more])
        settled = [(turn.sign_up, outcome) for turn, outcome in zip(turns, outcomes, strict=True)]
        _write(self._session, newsletter_id, settled, known, self._now)
        return outcomes

    def _outcome(self, turn: _Turn, known: Known, is_open: bool) -> tuple[SignUpOutcome, Cap | None]:
        """Return what becomes of a sign-up, and the cap that it waits for, None if it does not."""
        sign_up, waited = turn.sign_up, turn.number is not None
        if sign_up.is_trapped:
            return SignUpOutcome.TRAPPED, None
        if known.is_suppressed:
            return SignUpOutcome.SUPPRESSED, None
        if mailbox_of(sign_up.email) in self._never:
            return SignUpOutcome.NEVER_AGAIN, None
        if waited and (not is_open or self._now - turn.since > PUT_OFF_FOR):
            return SignUpOutcome.GIVEN_UP, None
        # The network of one that waited was counted when it came: those of many hours come due together.
        caps = [
            cap
            for cap in caps_on(sign_up, self._caps)
            if not (waited and cap.outcome is SignUpOutcome.PER_NETWORK)
        ]
        over = self._count.first_over(caps)
        if over is not None:
            return self._over(turn, over)
        if known.state in _HERE:
            return SignUpOutcome.REMINDED, None
        may_be_mailed = email_key(sign_up.email) not in self._erased or may_be_asked(
            self._session, self._keys, sign_up.email, now=self._now
        )
        return (SignUpOutcome.ASKED if may_be_mailed else SignUpOutcome.PER_ADDRESS), None

    def _over(self, turn: _Turn, over: Cap) -> tuple[SignUpOutcome, Cap | None]:
        """Return what becomes of a sign-up over this cap. One that is to wait counts for its network now."""
        if over.outcome not in PUT_OFF:
            return over.outcome, None
        if turn.number is None:
            if not self._has_room():
                return SignUpOutcome.GIVEN_UP, None
            self._count.add(cap_on_network(turn.sign_up, self._caps))
        return over.outcome, over

    def _has_room(self) -> bool:
        """Tell whether one more may wait, and take its place."""
        if self._room is None:
            self._room = room_for(self._session, most=PUT_OFF_MOST)
        self._room -= 1
        return self._room >= 0


def _write(
    session: Session,
    newsletter_id: NewsletterId,
    settled: Sequence[tuple[SignUp, SignUpOutcome]],
    known: Mapping[str, Known],
    now: datetime,
) -> None:
    by_key = {outcome: _by_key(settled, outcome) for outcome in SignUpOutcome}
    asked, reminded = by_key[SignUpOutcome.ASKED], by_key[SignUpOutcome.REMINDED]
    again = {**by_key[SignUpOutcome.PER_MONTH], **by_key[SignUpOutcome.PER_ADDRESS]}
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
