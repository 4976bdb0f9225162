"""A reader's own rights over what is stored of them: to see all of it, and to have it erased."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog
from sqlalchemy.orm import Session

from digest.domain.endpoints import EventKind
from digest.domain.erasing import GOES_ON, NOTHING, Erased
from digest.domain.errors import DigestError, Misconfigured, NotFound, Unavailable
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId, email_key
from digest.intake.addresses import parse_address
from digest.pipeline.erasing_lists import (
    LEASE,
    LookedThrough,
    Stopped,
    TakenOver,
    hold,
    take_out_of_lists,
    take_out_of_new_lists,
)
from digest.runtime import Runtime
from digest.store.address_changes import lock_reader
from digest.store.announcements import announce
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.erasing import addresses_of, await_addressing, blank_mails, leave_no_trace, take_reader_out
from digest.store.erasure_orders import (
    ErasureOrder,
    claim_order,
    end_order,
    give_order_back,
    note_taken_out,
    pending_orders,
    take_order,
)
from digest.store.erasures import is_erased, remember_erased
from digest.store.left_out import forget_left_out
from digest.store.reader_data import data_of
from digest.store.reader_locks import await_marks
from digest.store.subscribers import find_address, ids_of

log = structlog.get_logger(__name__)

A_READER = "a reader"
"""Who did it, where a reader did it themselves: the record must not name them."""


def erase_subscriber(runtime: Runtime, subscriber_id: SubscriberId, *, by: str = A_READER) -> Erased:
    """Erase the owner of a link of ours, as `erase_address` does. Raises `NotFound` when they were."""
    with reading(runtime.engine) as session:
        email = find_address(session, subscriber_id)
    if email is None:
        raise NotFound(f"subscriber {subscriber_id} was removed: nothing is stored of them any more")
    return _erase(runtime, email, by=by, owner=subscriber_id)


def erase_address(runtime: Runtime, email: str, *, by: str) -> Erased:
    """Remove all that is stored of an address as a reader's, in every newsletter; return what that was.

    What its owner had before, as mails and changes of address tell, goes with it.
    Nothing is armed for them after this has returned. What was armed before goes out, and nothing is kept of
    what becomes of it. A keyed mark stays, so that no list brings them back; they themselves may come back.
    The order is kept first: killed at any moment it is carried out to its end by a worker. So `GOES_ON` is
    told, and none of the above holds yet, where it took so long here that a worker took it over, where
    somebody is at an order about the same reader, or where something is out of reach, such as a full disk.
    Raises `NotFound` when nothing is stored, `InvalidInput` for what is no address, `Misconfigured` without
    a key to make the mark with.
    """
    return _erase(runtime, parse_address(email), by=by)


def _erase(runtime: Runtime, address: str, *, by: str, owner: SubscriberId | None = None) -> Erased:
    _require_a_key(runtime)
    now, key = runtime.clock(), email_key(address)
    with writing(runtime.engine) as session:
        # By number: until the lists are looked through, they may have another address.
        who = owner or ids_of(session, [key]).get(key)
        order = take_order(session, address, by=by, now=now, lease_until=now + LEASE, subscriber_id=who)
    if order is None:
        return GOES_ON
    try:
        return _carry_out(runtime, order)
    except TakenOver:
        return GOES_ON
    except Unavailable as exc:
        log.error("erasure.failed", order=order.id, reason=str(exc))
        return GOES_ON


def _require_a_key(runtime: Runtime) -> None:
    if not runtime.erasure_keys.keys:
        raise Misconfigured(
            "neither erasure_key nor secret_key is set, so nobody could know later who was erased: run "
            "'digest init', or set DIGEST_ERASURE_KEY to the output of 'openssl rand -hex 32'"
        )


def are_erasures_cut_short(runtime: Runtime) -> bool:
    """Whether there is an order to erase somebody that nobody is at."""
    return bool(_pending(runtime))


def _pending(runtime: Runtime) -> Sequence[int]:
    with reading(runtime.engine) as session:
        return pending_orders(session, now=runtime.clock())


def finish_erasures(runtime: Runtime, *, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Carry out the erasures that were cut short, as by a process that was killed, to their end.

    One that fails is told in the log and tried again by the next call: the others do not wait for it.
    """
    for number in _pending(runtime):
        if should_stop():
            return
        now = runtime.clock()
        with writing(runtime.engine) as session:
            order = claim_order(session, number, now=now, lease_until=now + LEASE)
        if order is None:
            continue
        try:
            _carry_out(runtime, order, should_stop)
        except (NotFound, TakenOver, Stopped):
            continue
        except DigestError as exc:
            log.error("erasure.failed", order=order.id, reason=str(exc))
        except Exception:
            log.exception("erasure.failed", order=order.id, reason="a fault in Digest: please report it")


def _carry_out(
    runtime: Runtime, order: ErasureOrder, should_stop: Callable[[], bool] = lambda: False
) -> Erased:
    """Do what is left of an order that is this process's; given back where that fails.

    Raises `NotFound` where nothing is there to erase, `TakenOver` when somebody else has the order by now,
    `Stopped` when it `should_stop`.
    """
    erased = NOTHING
    try:
        if order.email:
            _require_a_key(runtime)
            looked = take_out_of_lists(runtime, order, should_stop)
            with writing(runtime.engine) as session:
                erased, order = _take_out(runtime, session, order, looked)
        if order.subscriber_id is not None:
            _erase_what_came_between(runtime, order.subscriber_id, order.newsletters)
    except NotFound:
        with writing(runtime.engine) as session:
            end_order(session, order)
        raise
    except BaseException:
        with writing(runtime.engine) as session:
            give_order_back(session, order)
        raise
    with writing(runtime.engine) as session:
        end_order(session, order)
    is_gone = leave_no_trace(runtime.engine)
    log.info("reader.erased", subscriber=order.subscriber_id, stopped=erased.stopped, journal_emptied=is_gone)
    return erased


def _take_out(
    runtime: Runtime, session: Session, order: ErasureOrder, looked: LookedThrough
) -> tuple[Erased, ErasureOrder]:
    keys, now = runtime.erasure_keys, runtime.clock()
    order = hold(session, order, now=now)
    await_marks(session)
    if order.subscriber_id is not None:
        lock_reader(session, order.subscriber_id)
    addresses = addresses_of(session, order.email, order.subscriber_id)
    taken = take_reader_out(session, addresses[0])
    before = [take_reader_out(session, one) for one in addresses[1:]]
    lists = order.lists + take_out_of_new_lists(session, addresses, looked)
    erased = Erased(
        len(taken.newsletters),
        taken.mails,
        taken.stopped,
        taken.letters,
        sum(one.reports for one in (taken, *before)),
        sum(one.mentions for one in (taken, *before)) + lists,
        sum(one.sign_ups for one in (taken, *before)),
        any(one.was_suppressed for one in (taken, *before)),
        taken.has_account,
    )
    if taken.subscriber_id is None and not erased.is_anything:
        raise NotFound(_nothing(is_erased(session, keys, order.email), has_account=taken.has_account))
    for one in addresses:
        remember_erased(session, keys, one, now=now)
    about = f"subscriber {taken.subscriber_id}" if taken.subscriber_id else "an address without a subscriber"
    record(session, by=order.by, what="reader.erased", about=about, now=now)
    told = {"subscriber": taken.subscriber_id, "newsletters": list(taken.newsletters)}
    if taken.subscriber_id is not None:
        announce(session, EventKind.SUBSCRIBER_ERASED, told, now=now)
    return erased, note_taken_out(session, order, taken.subscriber_id, taken.newsletters)


def _erase_what_came_between(
    runtime: Runtime, subscriber_id: SubscriberId, newsletters: Sequence[NewsletterId]
) -> None:
    """Take the address out of mails of issues that were being addressed: those saw the reader before."""
    with writing(runtime.engine) as session:
        await_addressing(session, newsletters)
    with writing(runtime.engine) as session:
        blank_mails(session, subscriber_id)
        forget_left_out(session, subscriber_id)


def _nothing(was_erased: bool, *, has_account: bool) -> str:
    if has_account:
        return (
            "nothing is stored of this address as a reader's; it signs in, which 'digest account remove' ends"
        )
    if was_erased:
        return "this address was erased before: nothing is stored of it but a mark that it was"
    return "nothing is stored of this address: look for a slip, or try their other addresses"


def subscriber_data(runtime: Runtime, subscriber_id: SubscriberId) -> Mapping[str, object]:
    """Return all that is stored of the owner of a link of ours, as `address_data` does. Raises `NotFound`."""
    with reading(runtime.engine) as session:
        email = find_address(session, subscriber_id)
    if email is None:
        raise NotFound(f"subscriber {subscriber_id} was removed: nothing is stored of them any more")
    return address_data(runtime, email, is_by_link=True)


def address_data(runtime: Runtime, email: str, *, is_by_link: bool = False) -> Mapping[str, object]:
    """Return all that is stored of an address, for JSON: when and of whom, and the parts of `data_of`.

    Raises `NotFound` when nothing is stored, `InvalidInput` for what is no address.
    """
    address = parse_address(email)
    with reading(runtime.engine) as session:
        data = data_of(session, address, is_by_link=is_by_link)
        if not data:
            raise NotFound(_nothing(is_erased(session, runtime.erasure_keys, address), has_account=False))
    return {"address": address, "as_of": runtime.clock().isoformat(), **data}
