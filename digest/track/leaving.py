"""Leaving all newsletters at once, saying why, and asking for less in place of nothing."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Engine

from digest.domain.cadences import Cadence, parse_cadence
from digest.domain.departures import Reason
from digest.domain.letters import LetterKind
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store import departures
from digest.store.database import writing
from digest.store.letters import queue_letter
from digest.store.newsletters import newsletter_by_id
from digest.store.subscribers import set_cadence, subscription_of
from digest.track.steps import Change, bring_back_within, unsubscribe_within

log = structlog.get_logger(__name__)

_RARER = tuple(Cadence)
"""From the most often to the least."""


def unsubscribe_from_all(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    now: datetime,
    says_goodbye: bool = False,
) -> tuple[NewsletterId, ...]:
    """Stop every newsletter of this installation for a subscriber; return those that they left by this.

    All in one transaction: nothing is armed for them after this has returned. Goodbye is said by the
    newsletter whose link was used, and by no other.
    """
    with writing(engine) as session:
        # In one order everywhere, and the link's own newsletter too where it was left before.
        wanted = sorted({newsletter_id, *departures.subscribed_to(session, subscriber_id)})
        done = {one: unsubscribe_within(session, one, subscriber_id, now=now) for one in wanted}
        left = tuple(one for one, (change, _) in done.items() if change is Change.DONE)
        if says_goodbye and newsletter_id in left and newsletter_by_id(session, newsletter_id).goodbye:
            queue_letter(session, LetterKind.GOODBYE, newsletter_id, subscriber_id, now=now)
    for one in left:
        log.info("subscriber.unsubscribed", subscriber=subscriber_id, newsletter=one, cancelled=done[one][1])
    return left


def resubscribe(
    engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> Change:
    """Take an unsubscription back, and of all the newsletters that were left together with this one.

    Returns what came of it for this one. The topics followed before are followed again.
    """
    with writing(engine) as session:
        together = departures.left_together(session, newsletter_id, subscriber_id)
        done = {
            one: bring_back_within(
                session, one, subscriber_id, only_from=(SubscriptionState.UNSUBSCRIBED,), now=now
            )
            for one in sorted(together)
        }
    for one, change in done.items():
        if change in (Change.DONE, Change.SUPPRESSED):
            log.info("subscriber.resubscribed", subscriber=subscriber_id, newsletter=one)
    return done[newsletter_id]


def say_why(
    engine: Engine,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    reason: Reason | None,
    words: str = "",
) -> bool:
    """Keep why somebody left, in place of what they said before; return whether they had left."""
    with writing(engine) as session:
        return departures.say_why(session, newsletter_id, subscriber_id, reason, words)


def slow_down(
    engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId, cadence: str
) -> Change:
    """Send the newsletter less often from now on; what would be more often changes nothing.

    Raises `InvalidInput` for what it does not offer.
    """
    with writing(engine) as session:
        wanted = parse_cadence(cadence, newsletter_by_id(session, newsletter_id).cadences)
        found = subscription_of(session, newsletter_id, subscriber_id)
        if found is None:
            return Change.REMOVED
        if _RARER.index(wanted) <= _RARER.index(found.cadence):
            return Change.ALREADY
        set_cadence(session, newsletter_id, subscriber_id, wanted)
    return Change.DONE
