"""Uploaded lists without somebody who is erased: one at a time, each in a transaction of its own.

Only whoever has the order looks through them, and keeps it with every list: long ones take some seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from digest.domain.errors import Conflict
from digest.domain.reader_lists import ReaderListId
from digest.intake.lists.files import LIKELY
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.erasing import addresses_of
from digest.store.erasure_orders import ErasureOrder, count_list, hold_order
from digest.store.lists_without import Rest, find_whole, list_numbers, put_rest
from digest.store.mentions import Mentions

LEASE = timedelta(minutes=5)
"""Renewed with every list: an order whose process died is taken up again after that."""


class TakenOver(Conflict):
    """An order is carried out by somebody else by now: it is theirs to end."""


class Stopped(Exception):
    """The process is told to stop; another goes on with the order at once."""


@dataclass(frozen=True, slots=True)
class LookedThrough:
    """Lists that name none of these addresses any more."""

    lists: frozenset[ReaderListId]
    addresses: frozenset[str]


def hold(session: Session, order: ErasureOrder, *, now: datetime) -> ErasureOrder:
    """Keep an order claimed, and others from it until this transaction ends. Raises `TakenOver`."""
    held = hold_order(session, order, lease_until=now + LEASE)
    if held is None:
        raise TakenOver("this took so long that a worker has taken it over, and carries it out to its end")
    return held


def take_out_of_lists(
    runtime: Runtime, order: ErasureOrder, should_stop: Callable[[], bool]
) -> LookedThrough:
    """Take somebody out of all lists there are. Raises `TakenOver`, `Stopped`.

    What another process did of it before it died is not done again.
    """
    with reading(runtime.engine) as session:
        addresses, numbers = addresses_of(session, order.email, order.subscriber_id), list_numbers(session)
    who = [Mentions(one) for one in addresses]
    for number in numbers:
        if should_stop():
            raise Stopped
        _take_out_of(runtime, order, number, who)
    return LookedThrough(frozenset(numbers), frozenset(addresses))


def _take_out_of(
    runtime: Runtime, order: ErasureOrder, number: ReaderListId, who: Sequence[Mentions]
) -> None:
    """Take somebody out of one list; one that changes meanwhile is looked through again."""
    is_done = False
    while not is_done:
        rest = _rest_of(runtime, number, who)
        with writing(runtime.engine) as session:
            hold(session, order, now=runtime.clock())
            is_done = rest is None or put_rest(session, number, rest)
            if rest is not None and is_done:
                count_list(session, order)


def _rest_of(runtime: Runtime, number: ReaderListId, who: Sequence[Mentions]) -> Rest | None:
    with reading(runtime.engine) as session:
        found = find_whole(session, number)
    return found.without(who, LIKELY) if found else None


def take_out_of_new_lists(session: Session, addresses: Sequence[str], looked: LookedThrough) -> int:
    """Take somebody out of what was uploaded since the others were looked through; return how many name them.

    Of all, should they have had a further address. There are next to none: this is in the transaction in
    which they go.
    """
    numbers = set(list_numbers(session))
    if looked.addresses.issuperset(addresses):
        numbers -= looked.lists
    who = [Mentions(one) for one in addresses]
    count = 0
    for number in sorted(numbers):
        found = find_whole(session, number)
        rest = found.without(who, LIKELY) if found else None
        count += rest is not None and put_rest(session, number, rest)
    return count
