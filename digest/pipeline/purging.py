"""What is kept for a term and is over it goes, a page at a time; docs/retention.md tells of every table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from sqlalchemy.orm import Session

from digest.pipeline.kept import KINDS, Kind, Turn
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.erasing import leave_no_trace
from digest.store.purges import add_purged, ended_kinds
from digest.store.rehearsal import remove_left_behind

log = structlog.get_logger(__name__)

SECONDS = 40.0
"""A task lasts a minute at most; what is left goes when the next one comes."""

AT_ONCE = 1_000
"""Rows that go in one transaction: others that write wait some hundredths of a second for it."""

AGAIN_AFTER = timedelta(hours=20)
"""Each kind is done to its end once a day, whenever the hourly task finds it."""


@dataclass(frozen=True, slots=True)
class Purgeable:
    """How much of a kind is over its term now; None for what is kept for good."""

    kind: Kind
    count: int | None


def look(runtime: Runtime) -> tuple[Purgeable, ...]:
    """Return what a purge would remove now. It reads every table that has a term."""
    now = runtime.clock()
    with reading(runtime.engine) as session:
        return tuple(Purgeable(kind, _count(runtime, session, kind, now)) for kind in KINDS)


def _count(runtime: Runtime, session: Session, kind: Kind, now: datetime) -> int | None:
    term = kind.term(runtime)
    if term is None:
        return None
    return kind.count(session, Turn(now - term, 0, AT_ONCE, now, runtime.erasure_keys))


def purge(
    runtime: Runtime,
    *,
    seconds: float = SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
    again: bool = False,
) -> Mapping[str, int]:
    """Remove what is over its term, for so long at most; return how much of each kind went.

    Stopped at any moment it goes on where it was. A kind that was done to its end within a day rests, unless
    it is wanted `again`. Several at once do no harm: each takes rows of its own. What dry runs that were
    killed left on this machine goes, too.
    """
    ends, now = monotonic() + seconds, runtime.clock()
    remove_left_behind()
    with reading(runtime.engine) as session:
        rests = frozenset() if again else ended_kinds(session, since=now - AGAIN_AFTER)
    removed: dict[str, int] = {}
    for kind in KINDS:
        term = kind.term(runtime)
        if term is None or kind.name in rests:
            continue
        removed[kind.name] = 0
        after: int | None = 0
        while after is not None:
            if monotonic() > ends or should_stop():
                return _told(runtime, removed)
            with writing(runtime.engine) as session:
                turn = Turn(now - term, after, AT_ONCE, now, runtime.erasure_keys)
                page = kind.remove(session, turn)
                add_purged(session, kind.name, page.removed, now=now, is_ended=page.last is None)
            removed[kind.name] += page.removed
            after = page.last
    return _told(runtime, removed)


def _told(runtime: Runtime, removed: Mapping[str, int]) -> Mapping[str, int]:
    gone = {name: count for name, count in removed.items() if count}
    if gone:
        leave_no_trace(runtime.engine)
        log.info("purge.done", **gone)
    return gone
