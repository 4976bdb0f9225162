"""The long run: a hundred thousand mails by three workers that are killed and stopped all the time."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from benchmarks.faults.audit import Expected
from benchmarks.faults.field import Field, Worker
from benchmarks.faults.rig import Rig
from digest.deliver.steps import Pace, sweep
from digest.runtime import utc_now
from tests.servers.faults import DelayReply, Faults

WORKERS = 3
LONGEST_STOP = 2.0
"""Seconds."""
LONGER_THAN_ANY = Pace().lease + timedelta(minutes=1)


def long_run(field: Field, *, attempts: int, kills: int) -> Expected:
    """Send an issue to `attempts` readers while workers are killed or stopped `kills` times.

    Half of the signals are SIGKILL. Behind half of the SIGSTOPs somebody looks whose clock says that every
    lease has run out, also those of the workers that go on.
    """
    field.issue(attempts)
    rig = Rig(sessions=10)
    workers = [field.worker(rig) for _ in range(WORKERS)]
    # Slow enough that a worker is there again before the others have sent all the rest.
    field.sink.faults = Faults(on_recipient=lambda _address, _attempt: DelayReply(0.02))
    moments = sorted(field.random.randrange(attempts * 9 // 10) for _ in range(kills))
    while field.kills < kills and not field.is_settled():
        field.wait_for_mails(moments[field.kills])
        chosen = field.random.randrange(WORKERS)
        if field.random.random() < 0.5:
            field.kill(workers[chosen])
            workers[chosen] = field.worker(rig)
        else:
            _stop_for_a_while(field, workers[chosen])
    field.sink.faults = Faults()
    field.must(field.kills == kills, f"the issue was sent after {field.kills} signals of {kills}")
    field.wait_until_settled()
    for worker in workers:
        field.must(worker.end() == 0, f"a worker ended badly: {worker.said()}")
    return Expected(attempts, injected=field.left_by_the_dead())


def _stop_for_a_while(field: Field, worker: Worker) -> None:
    """Stop a worker, let the others go on for some mails, and wake it.

    On SQLite it may hold the lock that everybody needs, so it is not waited for long.
    """
    field.freeze(worker)
    looking = threading.Thread(
        target=sweep, args=(field.engine,), kwargs={"now": utc_now() + LONGER_THAN_ANY}
    )
    if field.random.random() < 0.5:
        looking.start()
    target, awake = field.sink.count() + field.random.randint(1, 100), time.monotonic() + LONGEST_STOP
    field.wait(lambda: field.sink.count() >= target or time.monotonic() > awake)
    worker.thaw()
    if looking.ident is not None:
        looking.join()
