"""Faults 1 to 6: a worker that is killed, or stopped for longer than its lease."""

from __future__ import annotations

from datetime import timedelta

from benchmarks.faults.audit import Expected
from benchmarks.faults.field import Field, Worker
from benchmarks.faults.rig import Point, Rig
from digest.deliver.steps import Pace, sweep
from digest.domain.deliveries import DeliveryState
from digest.runtime import utc_now
from tests.servers.faults import DelayReply, Faults, WithholdReply

READERS = 120

_SENDING = DeliveryState.SENDING


def between_claim_and_arm(field: Field) -> Expected:
    """Kill a worker whose every conversation has written a message's body and armed none."""
    field.issue(READERS)
    worker = _held(field, Point.CLAIMED)
    # What was answered before goes down with the next page, which nobody has to ask for.
    field.wait(lambda: not field.ids_in(_SENDING))
    field.kill(worker)
    field.must(bool(field.ids_in(DeliveryState.CLAIMED)), "the kill came too late to prove anything")
    field.recover()
    return Expected(READERS)


def between_arm_and_dot(field: Field) -> Expected:
    """Kill a worker whose every conversation has armed a message and not sent its dot."""
    field.issue(READERS)
    worker = _held(field, Point.ARMED)
    armed = field.ids_in(_SENDING)
    field.kill(worker)
    field.recover()
    _must_be_unknown(field, armed, worker.rig.sessions)
    there = {mail.message_id for mail in field.sink.messages()}
    field.must(not armed & there, "a message without a dot was taken")
    return Expected(READERS, injected=worker.rig.sessions)


def between_dot_and_answer(field: Field) -> Expected:
    """Kill a worker whose every conversation waits for the answer to a dot."""
    field.issue(READERS)
    sessions, after = field.random.randint(2, 6), field.random.randrange(60)
    withheld: set[str] = set()

    def withhold(address: str, _attempt: int) -> WithholdReply | None:
        if field.sink.count() < after:
            return None
        withheld.add(address)
        return WithholdReply(lambda: False)

    field.sink.faults = Faults(on_recipient=withhold)
    worker = field.worker(Rig(sessions=sessions))
    field.wait(lambda: len(withheld & set(field.sink.copies())) == sessions)
    armed = field.ids_in(_SENDING)
    field.kill(worker)
    field.sink.faults = Faults()
    field.recover()
    _must_be_unknown(field, armed, sessions)
    return Expected(READERS, injected=sessions)


def between_answer_and_commit(field: Field) -> Expected:
    """Kill a worker whose every conversation has heard a 250 that is not written down."""
    field.issue(READERS)
    worker = _held(field, Point.ANSWERED)
    armed = field.ids_in(_SENDING)
    field.kill(worker)
    field.recover()
    _must_be_unknown(field, armed, worker.rig.sessions)
    there = {mail.message_id for mail in field.sink.messages()}
    field.must(armed <= there, "a message that was answered with 250 is not at the server")
    return Expected(READERS, injected=worker.rig.sessions)


def a_random_worker_fifty_times(field: Field) -> Expected:
    """Kill one of two workers fifty times at any moment, and start another each time."""
    return killed_at_random(field, readers=4_000, kills=50)


def killed_at_random(field: Field, *, readers: int, kills: int) -> Expected:
    """Kill one of two workers so many times, each after some tens of further mails."""
    field.issue(readers)
    rig = Rig(sessions=4)
    # Slow enough that a new worker is there before the other has sent all the rest.
    field.sink.faults = Faults(on_recipient=lambda _address, _attempt: DelayReply(0.02))
    workers = [field.worker(rig) for _ in range(2)]
    while field.kills < kills and not field.is_settled():
        target = field.sink.count() + field.random.randint(1, 30)
        field.wait_for_mails(target)
        chosen = field.random.randrange(2)
        field.kill(workers[chosen])
        workers[chosen] = field.worker(rig)
    field.must(field.kills == kills, f"the issue was sent after {field.kills} kills of {kills}")
    field.sink.faults = Faults()
    field.wait_until_settled()
    field.must(field.left_by_the_dead() <= kills * rig.sessions, "more left open than conversations were")
    return Expected(readers, injected=field.left_by_the_dead())


def stopped_past_its_lease(field: Field) -> Expected:
    """Stop a worker past its lease while another sends all that is left, then let it go on.

    Held before the arm, it must be refused. Held behind it, the outcome is unknown until its late answer.
    """
    field.issue(READERS)
    is_armed = field.random.random() < 0.5
    worker = _held(field, Point.ARMED if is_armed else Point.CLAIMED)
    field.wait(lambda: len(field.ids_in(_SENDING)) == (worker.rig.sessions if is_armed else 0))
    field.freeze(worker)
    worker.tell()
    late = utc_now() + Pace().lease + timedelta(minutes=1)
    swept = sweep(field.engine, now=late)
    armed = worker.rig.sessions if is_armed else 0
    field.must(swept.unknown == armed, f"{swept.unknown} unknown of {armed} that were armed")
    field.recover()
    worker.thaw()
    field.must(worker.end() == 0, f"the stopped worker ended badly: {worker.said()}")
    return Expected(READERS)


def _held(field: Field, point: Point) -> Worker:
    """Start a worker and return when each of its conversations stands still at `point`."""
    rig = Rig(at=point, after=field.random.randrange(60), sessions=field.random.randint(2, 6))
    worker = field.worker(rig)
    for _ in range(rig.sessions):
        worker.hear()
    return worker


def _must_be_unknown(field: Field, armed: frozenset[str], sessions: int) -> None:
    unknown = field.ids_in(DeliveryState.UNKNOWN)
    field.must(len(armed) == sessions, f"{len(armed)} armed by {sessions} conversations")
    field.must(unknown == armed, f"{len(unknown ^ armed)} of the unknown are not those that were armed")
