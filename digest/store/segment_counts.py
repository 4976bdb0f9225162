"""How many readers a question fits, and who some are: of many readers from a look at some."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from sqlalchemy import ColumnElement, Integer, Select, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from digest.domain.measuring import in_steps
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, SubscriptionState
from digest.store.segment_conditions import Asked, of_readers
from digest.store.subscribers import SubscriberRow, SubscriptionRow

FEW = 20_000
"""So many readers of a newsletter are looked at one and all: 0.05 s."""
SAMPLE = 4_000
"""Readers looked at where there are more. What one in ten are is told to within one in a hundred."""
SHOWN = 10

_MANY = 50_000
"""Fewer readers of a newsletter are listed by their numbers, to be drawn from: 0.03 s."""
_DRAWS_MAX = 64_000
"""Numbers drawn where they are more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How many readers a question fits of how many, how many of those are active, and a few of them.

    With `is_estimate` the numbers were worked out from `looked_at` readers; else those are all there are.
    With `is_coarse` it asks what they read: they are told in twenties, rounded down, and none is shown.
    """

    readers: int
    active: int
    of: int
    looked_at: int
    is_estimate: bool
    examples: tuple[SubscriberId, ...] = ()
    is_coarse: bool = False


def count_exactly(session: Session, asked: Asked) -> tuple[int, int]:
    """Return how many readers a question fits, and how many of those are active: a second for a million.

    Of one that asks what they read in twenties, as in `Answer`.
    """
    query = select(func.count(), _ACTIVE).where(*of_readers(asked.newsletter), asked.fits)
    readers, active = session.execute(query).one()
    told = in_steps if asked.asks_who_reads else int
    return told(readers), told(active or 0)


def answer(session: Session, asked: Asked) -> Answer:
    """Return whom a question fits: of all readers where there are few, else from a look at some.

    Those are the newsletter's own readers, however many others are here, and the same each time, so that two
    questions can be compared.
    """
    of = _up_to_many(session, asked.newsletter.id)
    if of <= FEW:
        query = _readers().where(*of_readers(asked.newsletter), asked.fits).order_by(SubscriberRow.id)
        found = [(reader, state) for reader, state in session.execute(query)]
        return _answered(asked, found, of, of, is_estimate=False)
    if of < _MANY:
        own = session.scalars(_own(asked.newsletter.id).order_by(SubscriptionRow.subscriber_id)).all()
        looked_at, found = _look(session, asked, Random(of).sample(own, SAMPLE))
    else:
        looked_at, found, of = _look_among_all(session, asked)
    return _answered(asked, found, of, looked_at, is_estimate=True)


Found = list[tuple[int, str]]
"""Readers whom a question fits, with the state of their subscription, by their numbers."""


def _answered(asked: Asked, found: Found, of: int, looked_at: int, *, is_estimate: bool) -> Answer:
    each = of / looked_at if looked_at else 1.0
    readers = round(len(found) * each)
    active = round(sum(state == SubscriptionState.ACTIVE for _, state in found) * each)
    if asked.asks_who_reads:
        return Answer(in_steps(readers), in_steps(active), of, looked_at, is_estimate, is_coarse=True)
    shown = tuple(SubscriberId(reader) for reader, _ in found[:SHOWN])
    return Answer(readers, active, of, looked_at, is_estimate, shown)


def _readers() -> Select[int, str]:
    return select(SubscriberRow.id, SubscriptionRow.state)


_ACTIVE = func.count().filter(SubscriptionRow.state == SubscriptionState.ACTIVE.value)


def _own(newsletter_id: NewsletterId) -> Select[int]:
    return select(SubscriptionRow.subscriber_id).where(SubscriptionRow.newsletter_id == newsletter_id)


def _up_to_many(session: Session, newsletter_id: NewsletterId) -> int:
    """Return how many readers a newsletter has, `_MANY` where there are more: a range of an index."""
    some = _own(newsletter_id).limit(_MANY).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _look_among_all(session: Session, asked: Asked) -> tuple[int, Found, int]:
    """Draw numbers of readers of all newsletters, and look at those of this one, who are too many to list.

    Return how many those were, whom of them the question fits, and how many there may be in all.
    """
    first, last = _bounds(session, asked.newsletter.id)
    span, draws = last - first + 1, SAMPLE
    while True:
        draws = min(draws, span, _DRAWS_MAX)
        looked_at, found = _look(session, asked, Random(span).sample(range(first, last + 1), draws))
        if looked_at >= SAMPLE // 2 or draws in (span, _DRAWS_MAX):
            return looked_at, found, round(looked_at * span / draws)
        draws *= max(2, SAMPLE // max(1, looked_at))


def _look(session: Session, asked: Asked, numbers: Sequence[int]) -> tuple[int, Found]:
    """Return how many of these are readers of the newsletter, and whom of those the question fits."""
    # What is asked is a column: as a condition, PostgreSQL may read all who follow a topic first.
    query = _readers().add_columns(asked.fits)
    rows = session.execute(query.where(*of_readers(asked.newsletter), _is_among(session, numbers))).all()
    return len(rows), sorted((reader, state) for reader, state, fits in rows if fits)


def _is_among(session: Session, numbers: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition as one parameter: to bind thousands takes longer than to look them up."""
    if session.get_bind().dialect.name == "sqlite":
        drawn = func.json_each(json.dumps(numbers)).table_valued(column("value", Integer))
        return SubscriptionRow.subscriber_id.in_(select(drawn.c.value))
    return SubscriptionRow.subscriber_id == func.any(literal(numbers, ARRAY(Integer)))


def _bounds(session: Session, newsletter_id: NewsletterId) -> tuple[int, int]:
    """Return the lowest and the highest number of a newsletter's readers, of which there are some."""
    ends = [
        select(SubscriptionRow.subscriber_id)
        .where(SubscriptionRow.newsletter_id == newsletter_id)
        .order_by(order)
        .limit(1)
        for order in (SubscriptionRow.subscriber_id, SubscriptionRow.subscriber_id.desc())
    ]
    first, last = (session.scalar(end) for end in ends)
    return (1, 0) if first is None or last is None else (first, last)
