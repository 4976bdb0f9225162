"""A newsletter's readers by address, a page at a time: quick however many there are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, select, true
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, Subscription, SubscriptionState, email_key
from digest.store.reader_search import LAST, by_bytes
from digest.store.subscribers import SubscriberRow, SubscriptionRow, subscriptions_among

LOOKED_MOST = 10_000
"""Readers looked at for one page of those whom a condition fits; the next page goes on behind them."""


@dataclass(frozen=True, slots=True)
class ReaderPage:
    """Readers in the order of their addresses' bytes. `after` is where the next page begins, '' at the end.

    A page may be short or empty and go on all the same: then those looked at were not asked for.
    """

    readers: tuple[Subscription, ...]
    after: str = ""


def reader_page(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    limit: int,
    after: str = "",
    begins: str = "",
    state: SubscriptionState | None = None,
    fits: ColumnElement[bool] | None = None,
) -> ReaderPage:
    """Return up to `limit` readers behind the address key `after`: those whose address begins with `begins`.

    With `state` those in it alone, and with `fits` those whom that condition fits.
    """
    key, sought = by_bytes(session, SubscriberRow.email_key), email_key(begins)
    within = [key > after] if after else []
    within += [key >= sought, key < sought + LAST] if sought else []
    wanted = and_(
        true(),
        *([SubscriptionRow.state == state.value] if state else []),
        *([fits] if fits is not None else []),
    )
    is_asked = state is not None or fits is not None
    among = _looked_at(session, newsletter_id, and_(true(), *within), LOOKED_MOST if is_asked else limit + 1)
    looked_at = among.subquery()
    found = session.execute(
        select(SubscriberRow.id, SubscriberRow.email_key)
        .join(looked_at, looked_at.c.id == SubscriberRow.id)
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .where(SubscriptionRow.newsletter_id == newsletter_id, wanted)
        .order_by(key)
        .limit(limit + 1)
    ).all()
    shown = found[:limit]
    goes_on = shown[-1].email_key if len(found) > limit else ""
    if is_asked and not goes_on:
        goes_on = _end_of_look(session, among)
    return ReaderPage(_in_order(session, newsletter_id, [SubscriberId(one.id) for one in shown]), goes_on)


def _looked_at(
    session: Session, newsletter_id: NewsletterId, within: ColumnElement[bool], most: int
) -> Select[int, str]:
    # Not a join: SQLite would begin with all subscribers of the newsletter, a second for a million.
    tie = (
        select(SubscriptionRow.state)
        .where(
            SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == SubscriberRow.id
        )
        .correlate(SubscriberRow)
    )
    return (
        select(SubscriberRow.id, SubscriberRow.email_key)
        .where(within, tie.exists())
        .order_by(by_bytes(session, SubscriberRow.email_key))
        .limit(most)
    )


def _end_of_look(session: Session, among: Select[int, str]) -> str:
    """Return the last address that was looked at, '' where there are no further ones."""
    last = session.execute(among.offset(LOOKED_MOST - 1).limit(1)).first()
    return last.email_key if last else ""


def _in_order(
    session: Session, newsletter_id: NewsletterId, ids: list[SubscriberId]
) -> tuple[Subscription, ...]:
    found = {one.subscriber.id: one for one in subscriptions_among(session, newsletter_id, ids)}
    return tuple(found[one] for one in ids if one in found)
