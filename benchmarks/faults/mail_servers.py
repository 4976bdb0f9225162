"""Faults 19 to 25: a mail server that is away, refuses, breaks off, keeps silent or never ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from benchmarks.faults.audit import Expected
from benchmarks.faults.field import Field
from benchmarks.faults.rig import Rig
from benchmarks.readers import Address, plain_address
from digest.deliver.steps import Pace, sweep
from digest.domain.deliveries import DeliveryState
from digest.runtime import utc_now
from digest.store.database import reading
from digest.store.outages import find_outage
from digest.store.suppressions import is_suppressed
from tests.servers.faults import Banner, BrokenTls, ConnectionFault, Faults, SlowBanner, WithholdReply

READERS = 120
LATER = timedelta(hours=1)
"""When every first back-off is over."""


def _every(step: int, *prefixes: str) -> Address:
    """Return addresses of which each `step`-th makes the sink misbehave, in each of these ways by turns."""

    def address(number: int) -> str:
        if number % step:
            return plain_address(number)
        return f"{prefixes[number // step % len(prefixes)]}.{number}@example.org"

    return address


def away(field: Field) -> Expected:
    """Greet with 421 or refuse connections, from the beginning or in the middle, then be back."""
    field.issue(READERS)
    refuses, in_the_middle = field.random.random() < 0.5, field.random.random() < 0.5
    worker = field.worker(Rig(sessions=3))
    if in_the_middle:
        field.sink.wait_for(1)

    def turn_away(_: int) -> ConnectionFault:
        return Banner(421)

    field.sink.faults = Faults(on_connection=turn_away)
    if refuses:
        field.sink.refuse_connections()
    field.sink.drop_connections()
    field.wait(lambda: _is_known_to_be_away(field) or field.is_settled())
    worker.end()
    counts = field.counts()
    field.must(not counts[DeliveryState.FAILED], "a server that is away made deliveries fail")
    open_ = counts[DeliveryState.UNKNOWN]
    field.must(open_ <= worker.rig.sessions, f"{open_} unknown of {worker.rig.sessions} conversations")
    field.sink.faults = Faults()
    field.sink.accept_connections()
    field.recover(ahead=LATER)
    return Expected(READERS, injected=open_)


def _is_known_to_be_away(field: Field) -> bool:
    with reading(field.engine) as session:
        return find_outage(session, field.issue_id) is not None


def deferring(field: Field) -> Expected:
    """Answer 451 once: to RCPT, to DATA, after the dot."""
    step = field.random.randint(2, 5)
    address = _every(step, "defer-451-once", "data-451-once", "after-dot-451-once")
    field.issue(READERS, address=address)
    worker = field.worker()
    deferred = len(range(0, READERS, step))
    field.wait(lambda: _is_all_but(field, deferred))
    worker.end()
    counts = field.counts()
    field.must(counts[DeliveryState.PENDING] == deferred, f"not {deferred} pending: {counts}")
    field.recover(ahead=LATER)
    field.must(field.counts()[DeliveryState.ACCEPTED] == READERS, "a deferred mail was not accepted later")
    return Expected(READERS)


def _is_all_but(field: Field, deferred: int) -> bool:
    """Whether everybody who is not deferred has been served, and the deferred are pending again."""
    counts = field.counts()
    return counts[DeliveryState.ACCEPTED] == READERS - deferred == READERS - counts[DeliveryState.PENDING]


def refusing(field: Field) -> Expected:
    """Answer 550 to RCPT, and 554 after the dot."""
    step = field.random.randint(2, 5)
    address = _every(step, "reject-550", "after-dot-554")
    field.issue(READERS, address=address)
    field.recover()
    refused = [address(number) for number in range(0, READERS, step)]
    failed = field.counts()[DeliveryState.FAILED]
    field.must(failed == len(refused), f"{failed} failed of {len(refused)} that were refused")
    with reading(field.engine) as session:
        suppressed = [email for email in refused if is_suppressed(session, email)]
    gone = [email for email in refused if email.startswith("reject-550")]
    field.must(suppressed == gone, f"{len(suppressed)} suppressed, {len(gone)} mailboxes do not exist")
    return Expected(READERS)


def cutting_the_body(field: Field) -> Expected:
    """Reset the connection in the middle of a message's body, once for each of some readers."""
    step = field.random.randint(3, 8)
    field.issue(READERS, address=_every(step, "reset-in-body-once"))
    worker = field.worker(Rig(awaits_cut=True))
    cut = len(range(0, READERS, step))
    field.wait(lambda: _is_all_but(field, cut))
    worker.end()
    field.recover(ahead=LATER)
    return Expected(READERS)


def dropping_after_the_dot(field: Field) -> Expected:
    """Take some messages, lose some, and hang up on all of these before the 250."""
    step = field.random.randint(3, 8)
    field.issue(READERS, address=_every(step, "drop-after-dot-once", "lose-after-dot-once"))
    field.recover()
    open_ = len(range(0, READERS, step))
    before = field.sink.offered
    field.recover(ahead=LATER)
    field.must(field.sink.offered == before, "an unknown delivery was sent again unasked")
    return Expected(READERS, injected=open_)


def answering_late(field: Field) -> Expected:
    """Take some messages and answer when the worker's lease has long run out and others have looked."""
    step = field.random.randint(8, 20)
    late = {plain_address(number) for number in range(0, READERS, step)}
    answers = threading.Event()

    def answer(address: str, _attempt: int) -> WithholdReply | None:
        return WithholdReply(answers.is_set) if address in late else None

    field.sink.faults = Faults(on_recipient=answer)
    field.issue(READERS)
    worker = field.worker(Rig(sessions=len(late) + 2))
    field.wait(lambda: len(field.sink.copies()) == READERS)
    swept = sweep(field.engine, now=utc_now() + Pace().lease + timedelta(minutes=1))
    field.must(swept.unknown >= len(late), f"{swept.unknown} unknown of {len(late)} not answered")
    answers.set()
    field.wait(lambda: field.is_settled() and not field.counts()[DeliveryState.UNKNOWN])
    worker.end()
    return Expected(READERS)


def wedging(field: Field) -> Expected:
    """Greet every second connection never, by drops, or with a TLS that is none."""
    ways: list[Callable[[], ConnectionFault]] = [
        lambda: SlowBanner(float("inf")),
        lambda: SlowBanner(0.5),
        BrokenTls,
    ]

    def wedge(number: int) -> ConnectionFault | None:
        return ways[number // 2 % 3]() if number % 2 else None

    field.sink.faults = Faults(on_connection=wedge)
    field.issue(READERS)
    worker = field.worker(Rig(sessions=4, timeout=1.0))
    field.wait_until_settled()
    field.must(worker.end() == 0, f"the worker is wedged: {worker.said()}")
    return Expected(READERS)
