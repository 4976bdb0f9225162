"""Readers who let themselves be measured, or take that back: each act is recorded with the words they saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.consents import Consent, ConsentAct, ConsentSource
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.agreed_terms import shorten_agreement
from digest.store.consents import add_consent
from digest.store.database import writing
from digest.store.leaving import lock_standing
from digest.store.left_out import forget_left_out
from digest.store.measured import agree_to_measure, agreement_of, cease_to_measure
from digest.store.measures import forget_measured
from digest.store.newsletters import newsletter_by_id
from digest.store.reader_locks import hold_readers
from digest.store.subscribers import subscription_of
from digest.store.unmeasured import take_reader_back
from digest.track.counting import FOR_GOOD

_HERE = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)


def set_measuring(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    agrees: bool,
    *,
    wording: str,
    network: str,
    now: datetime,
    measured_for: timedelta = FOR_GOOD,
) -> bool:
    """Do as a reader chose in their settings; return whether they are measured from now on.

    Only who reads a newsletter that asks can agree; everybody can take it back. `measured_for` is how long
    after a mail it is measured by name.
    """
    with writing(engine) as session:
        hold_readers(session, [subscriber_id])
        said = Consent(ConsentAct.MEASURED, ConsentSource.SETTINGS, now, now, wording, network)
        if not agrees:
            take_back(session, newsletter_id, subscriber_id, said, measured_for=measured_for)
            return False
        subscription = subscription_of(session, newsletter_id, subscriber_id)
        return (
            subscription is not None
            and subscription.state in _HERE
            and agree(session, newsletter_id, subscriber_id, said, measured_for=measured_for)
        )


def agree(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    said: Consent,
    *,
    measured_for: timedelta = FOR_GOOD,
) -> bool:
    """Let a reader be measured as they `said`, and record that once; False where nobody is asked.

    `measured_for` is how long they were told that it is kept.
    """
    if newsletter_by_id(session, newsletter_id).measuring is Measuring.OFF:
        return False
    days, now = measured_for.days, said.recorded_at
    if agree_to_measure(session, newsletter_id, subscriber_id, days=days, now=now):
        add_consent(session, newsletter_id, subscriber_id, replace(said, act=ConsentAct.MEASURED))
    return True


def agree_anew(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    said: Consent,
    *,
    measured_for: timedelta = FOR_GOOD,
) -> None:
    """Let a reader be measured as they `said` where they sign up, and record it, also of who agreed before.

    Fewer days than they had agreed to hold for what was measured of them, too. If it is more than they had
    agreed to, it begins now, and what was measured goes: it was not measured for that.
    """
    if newsletter_by_id(session, newsletter_id).measuring is Measuring.OFF:
        return
    before = agreement_of(session, newsletter_id, subscriber_id)
    days = measured_for.days
    if before and before.may_spare and days <= before.days:
        shorten_agreement(session, newsletter_id, subscriber_id, days)
        add_consent(session, newsletter_id, subscriber_id, replace(said, act=ConsentAct.MEASURED))
        return
    _end(session, newsletter_id, subscriber_id, now=said.recorded_at, measured_for=measured_for)
    agree(session, newsletter_id, subscriber_id, said, measured_for=measured_for)


def take_back(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    said: Consent,
    *,
    measured_for: timedelta = FOR_GOOD,
) -> None:
    """Let a reader be measured no more, and record that once, as they `said` it. What was measured goes.

    So does what would measure in mails of theirs that have not left, and they are in no count of an issue
    that went out within the time for which it is `measured_for`, or for which they agreed to.
    """
    if _end(session, newsletter_id, subscriber_id, now=said.recorded_at, measured_for=measured_for):
        add_consent(
            session, newsletter_id, subscriber_id, replace(said, act=ConsentAct.UNMEASURED, wording="")
        )


def _end(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    measured_for: timedelta,
) -> bool:
    """End what a reader had agreed to, with what was measured; False where they had not."""
    # Before their mails, as whoever unsubscribes does, who cancels them.
    lock_standing(session, newsletter_id, subscriber_id)
    agreed = cease_to_measure(session, newsletter_id, subscriber_id)
    if agreed is None:
        return False
    after = now - min(measured_for, agreed.kept_for)
    take_reader_back(session, newsletter_id, subscriber_id, since=agreed.since, after=after)
    forget_measured(session, newsletter_id, subscriber_id)
    forget_left_out(session, subscriber_id, newsletter_id)
    return True
