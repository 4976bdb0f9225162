"""Faults 7 to 13: what rings the workers forgets, dies, repeats itself; workers are deployed and die."""

from __future__ import annotations

import os
import signal
import time

from benchmarks.faults.audit import Expected
from benchmarks.faults.field import Field
from benchmarks.faults.processes import Process
from benchmarks.faults.stack import SESSIONS, Stack, log_of, sending_processes
from digest.domain.deliveries import DeliveryState
from tests.servers.faults import Faults

READERS = 600
"""More than one process claims at a time, so that the other finds something to do."""

_RECOVERY = 60.0


def deployed(field: Field) -> Expected:
    """SIGTERM in the middle of a send, as a deploy does, then start the new worker."""
    stack = Stack(field, embedded=True)
    field.approve(READERS)
    worker = _in_the_middle(field, stack)
    field.sink.slow_down(after=0, seconds=0.05)
    code = worker.end()
    field.must(code == 0, f"the worker ended with {code}: {worker.said()}")
    counts = field.counts()
    open_ = counts[DeliveryState.UNKNOWN] + counts[DeliveryState.SENDING] + counts[DeliveryState.CLAIMED]
    field.must(not open_, f"a deploy left behind {counts}")
    field.must(bool(counts[DeliveryState.PENDING]), "the deploy came too late to prove anything")
    field.sink.faults = Faults()
    new = stack.worker(name="new")
    stack.ring("sweep")
    field.wait_until_settled()
    field.must(new.end() == 0, f"the new worker ended badly: {new.said()}")
    return Expected(READERS)


def a_pool_child_dies(field: Field) -> Expected:
    """Kill the process of a worker's pool that is sending, as the kernel does when memory is out."""
    stack = Stack(field)
    field.approve(READERS)
    stack.beat()
    _in_the_middle(field, stack)
    for pid in sending_processes(field):
        os.kill(pid, signal.SIGKILL)
        field.kills += 1
    killed_at = time.monotonic()
    field.sink.faults = Faults()
    field.wait_until_settled()
    took = time.monotonic() - killed_at
    field.must(took < _RECOVERY, f"it took {took:.0f} s to recover")
    open_ = field.counts()[DeliveryState.UNKNOWN]
    field.must(0 < open_ <= 2 * SESSIONS, f"{open_} unknown of {SESSIONS} conversations in each process")
    return Expected(READERS, injected=open_)


def redis_forgets(field: Field) -> Expected:
    """FLUSHALL in the middle of a send."""
    stack = Stack(field)
    field.approve(READERS)
    stack.beat()
    _in_the_middle(field, stack)
    stack.ring("send", field.issue_id, times=field.random.randint(1, 20))
    assert stack.redis is not None
    stack.redis.flush()
    return _completed(field)


def redis_dies(field: Field) -> Expected:
    """SIGKILL Redis, which keeps nothing on disk, and start an empty one."""
    stack = Stack(field)
    field.approve(READERS)
    beat = stack.beat()
    _in_the_middle(field, stack)
    assert stack.redis is not None
    stack.redis.kill()
    field.kills += 1
    field.wait(lambda: "beat.unheard" in log_of(beat))
    stack.redis.start()
    return _completed(field)


def redis_is_down(field: Field) -> Expected:
    """Approve an issue while Redis is down: the beat says so, nothing is lost, and it goes out after."""
    stack = Stack(field)
    stack.beat()
    stack.worker()
    assert stack.redis is not None
    stack.redis.kill()
    field.kills += 1
    field.approve(READERS)
    field.wait(lambda: any("beat.unheard" in log_of(process) for process in field.processes))
    field.must(not field.sink.count(), "mail left although nobody could ring")
    stack.redis.start()
    field.wait_until_settled(meanwhile=stack.supervise)
    return Expected(READERS)


def the_same_message_ten_times(field: Field) -> Expected:
    """Send each task message ten times under one id, to two workers."""
    stack = Stack(field)
    field.approve(READERS)
    field.sink.slow_down(after=0, seconds=0.01)
    for name in ("one", "two"):
        stack.worker(name=name)
    while not field.is_settled():
        for task, ids in (("tick", ()), ("sweep", ()), ("send", (field.issue_id,))):
            stack.ring(task, *ids, task_id=f"the same {task}", times=10)
        time.sleep(0.2)
    return Expected(READERS)


def longer_than_the_visibility_timeout(field: Field) -> Expected:
    """Have the broker hand a task out again and again while it is being done."""
    stack = Stack(field)
    field.approve(READERS)
    after = field.random.randint(1, READERS // 4)
    field.sink.withhold(after=after)
    workers = [stack.worker(name="one", forgetful=True)]
    stack.ring("send", field.issue_id, task_id="the-long-one")
    field.wait(lambda: "began the-long-one" in log_of(workers[0]) and field.sink.count() >= after)
    workers.append(stack.worker(name="two", forgetful=True))
    field.wait(lambda: sum(log_of(worker).count("began the-long-one") for worker in workers) >= 2)
    return _completed(field)


def _in_the_middle(field: Field, stack: Stack) -> Process:
    """Start a worker and return when it is in the middle of the send, with a sink that holds it there."""
    after = field.random.randint(20, READERS // 2)
    field.sink.withhold(after=after)
    worker = stack.worker()
    stack.ring("sweep")
    field.wait(lambda: field.sink.count() >= after)
    return worker


def _completed(field: Field) -> Expected:
    """Let the sink answer again, and wait for the end."""
    field.must(not field.is_settled(), "the fault came too late to prove anything")
    field.sink.faults = Faults()
    field.wait_until_settled()
    return Expected(READERS)
