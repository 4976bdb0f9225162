"""How many readers a question fits, and who some are: of many readers from a look at some."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.segment_conditions import Asked, of_readers
from digest.store.subscribers import SubscriberRow, SubscriptionRow

FEW = 20_000
"""So many readers are looked at one and all: 0.05 s."""
SAMPLE = 4_000
"""Readers looked at where there are more. What one in ten are is told to within one in a hundred."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """How many readers a question fits of how many, how many of those are active, and a few of them.

    With `is_estimate` the numbers were worked out from `looked_at` readers; else those are all there are.
    """

    readers: int
    active: int
    of: int
    looked_at: int
    is_estimate: bool
    examples: tuple[SubscriberId, ...] = ()


def count_exactly(session: Session, asked: Asked) -> tuple[int, int]:
    """Return how many readers a question fits, and how many of those are active: a second for a million."""
    query = select(func.count(), _ACTIVE).where(*of_readers(asked.newsletter), asked.fits)
    readers, active = session.execute(query).one()
    return readers, active or 0


def answer(session: Session, asked: Asked) -> Answer:
    """Return whom a question fits: of all readers where there are few, else from a look at some.

    The readers looked at are the same each time, so that two questions can be compared.
    """
    first, last = _bounds(session, asked.newsletter.id)
    span = last - first + 1
    if span <= FEW:
        return _answered(session, asked, None, 1.0)
    ids = sorted(Random(span).sample(range(first, last + 1), SAMPLE))
    return _answered(session, asked, ids, span / SAMPLE)


def _answered(session: Session, asked: Asked, ids: list[int] | None, each: float) -> Answer:
    among = [SubscriptionRow.subscriber_id.in_(ids)] if ids else []
    tied = of_readers(asked.newsletter)
    looked_at = session.scalar(select(func.count()).where(*tied, *among)) or 0
    query = select(SubscriberRow.id, SubscriptionRow.state).order_by(SubscriberRow.id)
    found = session.execute(query.where(*tied, *among, asked.fits)).all()
    active = sum(state == SubscriptionState.ACTIVE for _, state in found)
    return Answer(
        readers=round(len(found) * each),
        active=round(active * each),
        of=round(looked_at * each),
        looked_at=looked_at,
        is_estimate=ids is not None,
        examples=tuple(SubscriberId(subscriber_id) for subscriber_id, _ in found[:SHOWN]),
    )


_ACTIVE = func.count().filter(SubscriptionRow.state == SubscriptionState.ACTIVE.value)


def _bounds(session: Session, newsletter_id: NewsletterId) -> tuple[int, int]:
    """Return the lowest and the highest number of a newsletter's readers; (1, 0) when it has none."""
    ends = [
        select(SubscriptionRow.subscriber_id)
        .where(SubscriptionRow.newsletter_id == newsletter_id)
        .order_by(order)
        .limit(1)
        for order in (SubscriptionRow.subscriber_id, SubscriptionRow.subscriber_id.desc())
    ]
    first, last = (session.scalar(end) for end in ends)
    return (1, 0) if first is None or last is None else (first, last)
