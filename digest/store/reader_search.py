"""Subscribers found by a part of their address: those that begin with it first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, collate, select
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriptionState, email_key
from digest.store.subscribers import SubscriberRow, SubscriptionRow

LAST = "\U0010ffff"
"""Sorts behind every sign of an address: what begins alike lies between it and the beginning."""


@dataclass(frozen=True, slots=True)
class FoundReader:
    """A subscriber of a newsletter, in any state. `key` is where the next page begins after."""

    email: str
    state: SubscriptionState
    key: str


def readers_that_begin(
    session: Session, newsletter_id: NewsletterId, text: str, *, limit: int, after: str = ""
) -> tuple[FoundReader, ...]:
    """Return up to `limit` subscribers whose address begins with `text`, those after the key `after`.

    They are in the order of their addresses' bytes. Found by the index, however many subscribers there are.
    """
    key, sought = _by_bytes(session), email_key(text)
    begins = key >= sought, key < sought + LAST
    return _found(session, newsletter_id, *begins, *((key > after,) if after else ()), limit=limit)


def readers_that_hold(
    session: Session, newsletter_id: NewsletterId, text: str, *, limit: int
) -> tuple[FoundReader, ...]:
    """Return up to `limit` subscribers whose address holds `text` elsewhere than at its beginning.

    All addresses are read for a text that few hold: 0.1 s for a million.
    """
    key, sought = _by_bytes(session), email_key(text)
    holds = SubscriberRow.email_key.contains(sought, autoescape=True)
    elsewhere = ~((key >= sought) & (key < sought + LAST))
    return _found(session, newsletter_id, holds, elsewhere, limit=limit)


def _found(
    session: Session, newsletter_id: NewsletterId, *conditions: ColumnElement[bool], limit: int
) -> tuple[FoundReader, ...]:
    # Not a join: SQLite would begin with all subscribers of the newsletter, a second for a million.
    tie = (
        select(SubscriptionRow.state)
        .where(
            SubscriptionRow.newsletter_id == newsletter_id,
            SubscriptionRow.subscriber_id == SubscriberRow.id,
        )
        .correlate(SubscriberRow)
    )
    rows = session.execute(
        select(SubscriberRow.email, tie.scalar_subquery(), SubscriberRow.email_key)
        .where(tie.exists(), *conditions)
        .order_by(_by_bytes(session))
        .limit(limit)
    )
    return tuple(FoundReader(email, SubscriptionState(state), key) for email, state, key in rows)


def _by_bytes(session: Session) -> ColumnElement[str]:
    # SQLite's BINARY is what its unique keys are ordered by anyway.
    by_bytes = "C" if session.get_bind().dialect.name == "postgresql" else "BINARY"
    return collate(SubscriberRow.email_key, by_bytes)
