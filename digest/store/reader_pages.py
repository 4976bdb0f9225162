"""A newsletter's readers by address, a page at a time: quick however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, and_, select, true
from sqlalchemy.orm import Session

from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, Subscription, SubscriptionState, email_key
from digest.store.reader_search import LAST, by_bytes
from digest.store.subscribers import SubscriberRow, SubscriptionRow
from digest.store.subscription_pages import subscriptions_among

LOOKED_MOST = 5_000
"""Readers looked at for one page of those whom a condition fits; the next page goes on behind them."""


_MOST = 1_000
"""Readers of one question: their numbers stand in a statement."""


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
    most = LOOKED_MOST if is_asked else limit + 1
    looked_at = _looked_at(session, newsletter_id, and_(true(), *within), most)
    found = _fitting(session, newsletter_id, looked_at, wanted) if is_asked else looked_at
    shown = found[:limit]
    if len(found) > limit:
        goes_on = shown[-1].email_key
    else:
        goes_on = looked_at[-1].email_key if is_asked and len(looked_at) == most else ""
    return ReaderPage(_in_order(session, newsletter_id, [one.id for one in shown]), goes_on)


def first_readers(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    limit: int,
    after: str = "",
    fits: ColumnElement[bool] | None = None,
) -> tuple[list[Subscription], bool]:
    """Return up to `limit` readers behind the address `after`, by address, and whether there are more.

    However few a condition fits, all are looked at until there are as many.
    """
    readers: list[Subscription] = []
    goes_on = email_key(after)
    while len(readers) < limit:
        most = min(limit - len(readers), _MOST)
        page = reader_page(session, newsletter_id, limit=most, after=goes_on, fits=fits)
        readers += page.readers
        goes_on = page.after
        if not goes_on:
            break
    return readers, bool(goes_on)


def _fitting(
    session: Session,
    newsletter_id: NewsletterId,
    looked_at: Sequence[Row[int, str]],
    wanted: ColumnElement[bool],
) -> Sequence[Row[int, str]]:
    """Return those of whom a condition fits.

    A question of its own: asked with the other, SQLite may begin at its far end, two seconds for a million.
    """
    fitting = set(
        session.scalars(
            select(SubscriberRow.id)
            .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
            .where(
                SubscriptionRow.newsletter_id == newsletter_id,
                SubscriptionRow.subscriber_id.in_([one.id for one in looked_at]),
                wanted,
            )
        )
    )
    return [one for one in looked_at if one.id in fitting]


def _looked_at(
    session: Session, newsletter_id: NewsletterId, within: ColumnElement[bool], most: int
) -> Sequence[Row[int, str]]:
    """Return the numbers and keys of readers in the order of their addresses."""
    # Not a join: SQLite would begin with all subscribers of the newsletter, a second for a million.
    tie = (
        select(SubscriptionRow.state)
        .where(
            SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == SubscriberRow.id
        )
        .correlate(SubscriberRow)
    )
    return session.execute(
        select(SubscriberRow.id, SubscriberRow.email_key)
        .where(within, tie.exists())
        .order_by(by_bytes(session, SubscriberRow.email_key))
        .limit(most)
    ).all()


def _in_order(session: Session, newsletter_id: NewsletterId, ids: Iterable[int]) -> tuple[Subscription, ...]:
    wanted = list(map(SubscriberId, ids))
    found = {one.subscriber.id: one for one in subscriptions_among(session, newsletter_id, wanted)}
    return tuple(found[one] for one in wanted if one in found)
