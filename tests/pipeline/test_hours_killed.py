"""`kill -9` of a worker as it lets an approved issue go at its hour: each reader gets it once, or is told."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, event

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueState
from digest.domain.schedules import OccurrenceState, Stage
from digest.pipeline.scheduled import RETRY_AFTER
from digest.runtime import Runtime
from digest.settings import Settings
from digest.store.database import reading
from digest.store.deliveries import count_deliveries
from digest.store.issues import list_issues
from tests.pipeline.desk import HOUR, Desk, work
from tests.servers.faults import Faults
from tests.servers.smtp_sink import SmtpSink
from tests.stored import CLIMATE, stored_crowd

READERS = 40
SESSIONS = 2
COMMITS = 12
"""More than a worker needs to begin the send: no step of the way to it is left out."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def _work(settings: Settings, now: datetime, dies_before: int) -> None:
    """Be a worker that is killed before a transaction, counted from one, is written."""
    runtime, commits = Runtime(settings, lambda: now), 0

    def count(_connection: Connection) -> None:
        nonlocal commits
        commits += 1
        if commits == dies_before:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(runtime.engine, "commit", count)
    work(runtime)


def _begun(desk: Desk, *, dies_before: int = 0) -> multiprocessing.process.BaseProcess:
    worker = _processes.Process(target=_work, args=(desk.runtime.settings, desk.clock(), dies_before))
    worker.start()
    desk.clock.now += RETRY_AFTER + timedelta(minutes=1)
    return worker


def test_killed_at_any_step_of_its_hour_it_leaves_once(desk: Desk, smtp_sink: SmtpSink) -> None:
    emails = [f"reader{number}@example.org" for number in range(1, READERS)]
    stored_crowd(desk.engine, desk.newsletter, emails, CLIMATE)
    desk.approve()
    desk.clock.now = HOUR
    smtp_sink.slow_down(after=READERS // 2, seconds=60)
    reached = set()
    for commit in range(1, COMMITS + 1):
        worker = _begun(desk, dies_before=commit)
        worker.join()
        assert worker.exitcode == -signal.SIGKILL
        if commit > 1:  # before the first one no run is known
            reached.add((desk.run.stage, desk.issue.state))
    assert reached >= {
        *((stage, IssueState.APPROVED) for stage in Stage),
        (Stage.SEND, IssueState.SENDING),
    }, "some step was never the last one"
    worker = _begun(desk)
    smtp_sink.wait_for(READERS // 2)
    worker.kill()
    worker.join()
    smtp_sink.faults = Faults()
    desk.work()

    assert (desk.run.state, desk.run.stage) == (OccurrenceState.DONE, Stage.SEND)
    with reading(desk.engine) as session:
        assert [(one.id, one.state) for one in list_issues(session)] == [(desk.number, IssueState.SENT)]
        counts = count_deliveries(session, desk.number)
    unknown = counts[DeliveryState.UNKNOWN]
    assert unknown <= (COMMITS + 1) * SESSIONS, "more unknown than conversations were in the dot"
    assert counts[DeliveryState.ACCEPTED] == READERS - unknown
    copies = smtp_sink.copies() - Counter(["ops@example.org"])
    assert set(copies.values()) == {1}
    assert READERS - unknown <= len(copies) <= READERS
