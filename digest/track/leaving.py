"""Leaving all newsletters at once, saying why, and asking for less in place of nothing."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.domain.cadences import Cadence, parse_cadence
from digest.domain.departures import Reason
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store import departures
from digest.store.database import writing
from digest.store.leaving import left_together, subscribed_to
from digest.store.newsletters import newsletter_by_id
from digest.store.subscribers import set_cadence, subscription_of
from digest.track.steps import Change, say_goodbye, take_back_within, unsubscribe_within

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

    All in one transaction: nothing is armed for them after this has returned. Where the link's newsletter was
    left before, this belongs to the same act: one undo takes back both. Goodbye is said by the newsletter
    whose link was used, and by no other.
    """
    with writing(engine) as session:
        # In one order everywhere, and the link's own newsletter too where it was left before.
        wanted = sorted({newsletter_id, *subscribed_to(session, subscriber_id)})
        act = _act_of(session, newsletter_id, subscriber_id)
        done: dict[NewsletterId, tuple[Change, int]] = {}
        for one in wanted:
            done[one] = unsubscribe_within(session, one, subscriber_id, now=now, act=act)
            act = act or _act_of(session, one, subscriber_id)
        left = tuple(one for one, (change, _) in done.items() if change is Change.DONE)
        if says_goodbye and newsletter_id in left:
            say_goodbye(session, newsletter_id, subscriber_id, now=now)
    for one in left:
        log.info("subscriber.unsubscribed", subscriber=subscriber_id, newsletter=one, cancelled=done[one][1])
    return left


def _act_of(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> int | None:
    left = departures.find_departure(session, newsletter_id, subscriber_id)
    return left.act if left else None


def resubscribe(
    engine: Engine, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> Change:
    """Take an unsubscription back, and those of all the newsletters that were left in the same act.

    Each becomes what it was, and the topics followed before are followed again. Returns what came of it for
    this one; or of another that came back, where this one was left too long ago.
    """
    with writing(engine) as session:
        together = left_together(session, newsletter_id, subscriber_id, now=now)
        wanted = sorted({newsletter_id, *(one.newsletter_id for one in together)})
        done = {one: take_back_within(session, one, subscriber_id, now=now) for one in wanted}
    back = {one: change for one, change in done.items() if change in (Change.DONE, Change.SUPPRESSED)}
    for one in back:
        log.info("subscriber.resubscribed", subscriber=subscriber_id, newsletter=one)
    return back.get(newsletter_id) or next(iter(back.values()), done[newsletter_id])


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
