"""A reader's own rights over what is stored of them: to see all of it, and to have it erased."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from digest.domain.endpoints import EventKind
from digest.domain.erasing import NOTHING, Erased
from digest.domain.errors import DigestError, Misconfigured, NotFound
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.intake.addresses import parse_address
from digest.runtime import Runtime
from digest.store.announcements import announce
from digest.store.audit import record
from digest.store.database import reading, writing
from digest.store.erasing import addresses_of, await_addressing, blank_mails, leave_no_trace, take_reader_out
from digest.store.erasure_orders import (
    ErasureOrder,
    add_order,
    claim_order,
    end_order,
    note_taken_out,
    open_orders,
)
from digest.store.erasures import is_erased, remember_erased
from digest.store.lists_without import Looked, look_through
from digest.store.mentions import Mentions
from digest.store.reader_data import data_of
from digest.store.subscribers import find_address

log = structlog.get_logger(__name__)

_CUT_SHORT = timedelta(minutes=1)
"""An order of this age was cut short, or takes long: whoever is still at it has its row locked."""

A_READER = "a reader"
"""Who did it, where a reader did it themselves: the record must not name them."""


class _Taken(NotFound):
    """An order is carried out by somebody else, or was: it is theirs to end."""


def erase_subscriber(runtime: Runtime, subscriber_id: SubscriberId, *, by: str = A_READER) -> Erased:
    """Erase the owner of a link of ours, as `erase_address` does. Raises `NotFound` when they were."""
    with reading(runtime.engine) as session:
        email = find_address(session, subscriber_id)
    if email is None:
        raise NotFound(f"subscriber {subscriber_id} was removed: nothing is stored of them any more")
    return erase_address(runtime, email, by=by)


def erase_address(runtime: Runtime, email: str, *, by: str) -> Erased:
    """Remove all that is stored of an address as a reader's, in every newsletter; return what that was.

    What its owner had before, as mails and changes of address tell, goes with it.
    Nothing is armed for them after this has returned. What was armed before goes out, and nothing is kept of
    what becomes of it. A keyed mark stays, so that no list brings them back; they themselves may come back.
    The order is kept first: killed at any moment it is carried out to its end by a worker.
    Raises `NotFound` when nothing is stored, `InvalidInput` for what is no address, `Misconfigured` without
    a key to make the mark with.
    """
    address = parse_address(email)
    _require_a_key(runtime)
    with writing(runtime.engine) as session:
        order = add_order(session, address, by=by, now=runtime.clock())
    return _carry_out(runtime, order)


def _require_a_key(runtime: Runtime) -> None:
    if not runtime.erasure_keys.keys:
        raise Misconfigured(
            "neither erasure_key nor secret_key is set, so nobody could know later who was erased: run "
            "'digest init', or set DIGEST_ERASURE_KEY to the output of 'openssl rand -hex 32'"
        )


def are_erasures_cut_short(runtime: Runtime) -> bool:
    """Whether there is an order to erase somebody that nobody may be at any more."""
    return bool(_cut_short(runtime))


def _cut_short(runtime: Runtime) -> Sequence[ErasureOrder]:
    with reading(runtime.engine) as session:
        return open_orders(session, until=runtime.clock() - _CUT_SHORT)


def finish_erasures(runtime: Runtime, *, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Carry out the erasures that were cut short, as by a process that was killed, to their end.

    One that fails is told in the log and tried again by the next call: the others do not wait for it.
    """
    for order in _cut_short(runtime):
        if should_stop():
            return
        try:
            _carry_out(runtime, order, skip_locked=True)
        except NotFound:
            continue
        except DigestError as exc:
            log.error("erasure.failed", order=order.id, reason=str(exc))
        except Exception:
            log.exception("erasure.failed", order=order.id, reason="a fault in Digest: please report it")


def _carry_out(runtime: Runtime, order: ErasureOrder, *, skip_locked: bool = False) -> Erased:
    """Do what is left of an order. What is done twice, by two at once, does no harm.

    Raises `NotFound` where nothing is left, or, with `skip_locked`, somebody is at it.
    """
    erased = NOTHING
    try:
        if order.email:
            _require_a_key(runtime)
            lists = _look_through_lists(runtime, order.email)
            with writing(runtime.engine) as session:
                claimed = claim_order(session, order.id, skip_locked=skip_locked)
                if claimed is None:
                    raise _Taken(_nothing(was_erased=True, has_account=False))
                if claimed.email:
                    erased = _take_out(runtime, session, claimed, lists)
                order = claim_order(session, order.id) or order
        if order.subscriber_id is not None:
            _erase_what_came_between(runtime, order.subscriber_id, order.newsletters)
    except _Taken:
        raise
    except NotFound:
        with writing(runtime.engine) as session:
            end_order(session, order.id)
        raise
    with writing(runtime.engine) as session:
        end_order(session, order.id)
    is_gone = leave_no_trace(runtime.engine)
    log.info("reader.erased", subscriber=order.subscriber_id, stopped=erased.stopped, journal_emptied=is_gone)
    return erased


def _look_through_lists(runtime: Runtime, email: str) -> Mapping[str, Looked]:
    """Return what uploaded lists come to without each address of somebody's."""
    with reading(runtime.engine) as session:
        return {one: look_through(session, Mentions(one)) for one in addresses_of(session, email)}


def _take_out(runtime: Runtime, session: Session, order: ErasureOrder, lists: Mapping[str, Looked]) -> Erased:
    # Also of an order that was given where there is a key: this process may be set up otherwise.
    _require_a_key(runtime)
    keys, now = runtime.erasure_keys, runtime.clock()
    addresses = addresses_of(session, order.email)
    taken = take_reader_out(session, order.email, lists.get(order.email))
    before = [take_reader_out(session, one, lists.get(one)) for one in addresses[1:]]
    erased = Erased(
        len(taken.newsletters),
        taken.mails,
        taken.stopped,
        taken.letters,
        sum(one.reports for one in (taken, *before)),
        sum(one.mentions for one in (taken, *before)),
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
    note_taken_out(session, order.id, taken.subscriber_id, taken.newsletters)
    return erased


def _erase_what_came_between(
    runtime: Runtime, subscriber_id: SubscriberId, newsletters: Sequence[NewsletterId]
) -> None:
    """Take the address out of mails of issues that were being addressed: those saw the reader before."""
    with writing(runtime.engine) as session:
        await_addressing(session, newsletters)
    with writing(runtime.engine) as session:
        blank_mails(session, subscriber_id)


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
    return address_data(runtime, email, is_quick=True)


def address_data(runtime: Runtime, email: str, *, is_quick: bool = False) -> Mapping[str, object]:
    """Return all that is stored of an address, for JSON: when and of whom, and the parts of `data_of`.

    Raises `NotFound` when nothing is stored, `InvalidInput` for what is no address.
    """
    address = parse_address(email)
    with reading(runtime.engine) as session:
        data = data_of(session, address, is_quick=is_quick)
        if not data:
            raise NotFound(_nothing(is_erased(session, runtime.erasure_keys, address), has_account=False))
    return {"address": address, "as_of": runtime.clock().isoformat(), **data}
