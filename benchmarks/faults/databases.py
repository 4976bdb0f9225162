"""Faults 14 to 18: a database that cuts connections, crashes, is locked, is full, or is an older copy."""

from __future__ import annotations

import sqlite3
import threading

from sqlalchemy import make_url

from benchmarks.faults.audit import Expected
from benchmarks.faults.field import POSTGRESQL, Field, Worker
from benchmarks.faults.rig import Rig
from benchmarks.faults.sending import settings_for
from digest.domain.deliveries import DeliveryState
from digest.pipeline.control import let_go
from digest.pipeline.holding import is_held
from digest.runtime import Runtime
from digest.store.database import open_engine
from tests.servers.faults import DelayReply, Faults

READERS = 300
EVERY = 0.2
"""Seconds between two cuts."""
_ALERT = "a disk is full, so nothing is sent"
LOCKED = 20.0
"""Seconds that the lock is held."""


def connections_are_cut(field: Field) -> Expected:
    """End all of the workers' connections to PostgreSQL five times a second, as long as the send takes."""
    _slow(field)
    field.issue(READERS * 2)
    workers = [field.worker(Rig(sessions=4)) for _ in range(2)]
    field.sink.wait_for(1)
    stop = threading.Event()
    cutter = threading.Thread(target=_cut, args=(field, stop))
    cutter.start()
    field.sink.wait_for(READERS)
    stop.set()
    cutter.join()
    field.wait_until_settled()
    _end(field, workers)
    return Expected(READERS * 2)


def _cut(field: Field, stop: threading.Event) -> None:
    name = field.url.rpartition("/")[2]
    mine = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND pid <> ALL(%s)"
    )
    with field.servers.postgres.connect() as admin:
        own = [admin.info.backend_pid]
        while not stop.wait(EVERY):
            admin.execute(mine, [name, own])
            field.kills += 1


def postgresql_crashes(field: Field) -> Expected:
    """Stop PostgreSQL at once, without a checkpoint, in the middle of commits; start it again."""
    _slow(field)
    field.issue(READERS)
    workers = [field.worker(Rig(sessions=4)) for _ in range(2)]
    for share in (0.2, 0.5):
        field.sink.wait_for(int(READERS * share) + field.random.randrange(30))
        field.servers.postgres.crash()
        field.kills += 1
        field.engine.dispose()
        field.servers.postgres.start()
    field.wait_until_settled()
    _end(field, workers)
    return Expected(READERS)


def an_older_copy(field: Field) -> Expected:
    """Put back a copy of the database from the middle of a send that has ended since, and start a worker."""
    field.issue(READERS)
    middle = field.random.randint(READERS // 4, READERS // 2)
    field.sink.withhold(after=middle)
    worker = field.worker(Rig(sessions=3))
    field.wait(lambda: len(field.ids_in(DeliveryState.SENDING)) == worker.rig.sessions)
    field.kill(worker)
    copy = _copied(field)
    field.sink.faults = Faults()
    field.recover()
    field.engine.dispose()
    field.url = copy
    field.engine = open_engine(copy)
    before = field.sink.count()
    rested = field.worker()
    runtime = Runtime(settings_for(field.place))
    field.wait(lambda: field.is_settled() or is_held(runtime))
    rested.end()
    sent = field.sink.count() - before
    field.must(not sent, f"{sent} mails were sent from an older copy before anybody let it go on")
    let_go(runtime, by="the benchmark")
    runtime.engine.dispose()
    return Expected(READERS, injected=READERS - field.counts()[DeliveryState.ACCEPTED])


def _copied(field: Field) -> str:
    """Return the address of a copy of the database, as a backup of this moment would be put back."""
    if field.kind == POSTGRESQL:
        field.engine.dispose()
        return field.servers.postgres.url(
            field.servers.postgres.create_database(template=field.url.rpartition("/")[2])
        )
    copy = field.folder / "older.db"
    with sqlite3.connect(_file(field)) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    return f"sqlite:///{copy}"


def the_lock_is_held(field: Field) -> Expected:
    """Hold SQLite's write lock for 20 seconds in the middle of a send."""
    _slow(field)
    field.issue(READERS)
    worker = field.worker(Rig(sessions=4))
    field.sink.wait_for(field.random.randint(1, READERS // 2))
    holder = sqlite3.connect(_file(field), isolation_level=None, timeout=60)
    holder.execute("BEGIN IMMEDIATE")
    threading.Event().wait(LOCKED)
    held = field.sink.count()
    field.must(held < READERS, "the lock came too late to prove anything")
    holder.execute("COMMIT")
    holder.close()
    field.wait_until_settled()
    field.must(worker.end() == 0, f"the worker ended badly: {worker.said()}")
    return Expected(READERS)


def the_disk_is_full(field: Field) -> Expected:
    """Allow the SQLite file no further page in the middle of a send: the disk is full, says SQLite."""
    field.issue(READERS)
    with sqlite3.connect(_file(field)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    worker = field.worker(Rig(sessions=3, pages=pages + 1))
    field.wait(lambda: _ALERT in worker.said() or field.is_settled())
    field.must(_ALERT in worker.said(), "ops were not told that the disk is full")
    field.must(not field.is_settled(), "the disk was full too late to prove anything")
    field.kill(worker)
    open_ = field.left_by_the_dead()
    field.recover()
    return Expected(READERS, injected=open_)


def _file(field: Field) -> str:
    name = make_url(field.url).database
    assert name is not None
    return name


def _slow(field: Field) -> None:
    """Have the sink take its time, so that what is injected comes in the middle."""
    field.sink.faults = Faults(on_recipient=lambda _address, _attempt: DelayReply(0.02))


def _end(field: Field, workers: list[Worker]) -> None:
    for worker in workers:
        field.must(worker.end() == 0, f"a worker ended badly: {worker.said()}")
