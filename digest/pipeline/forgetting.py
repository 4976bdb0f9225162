"""Forgetting what was removed and is too much to be forgotten while somebody waits."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import structlog

from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.removed_topics import forget_follows, removed_topics

log = structlog.get_logger(__name__)

SECONDS = 40.0
"""A task lasts a minute at most; what is left comes next time."""

PAGE = 2_000
"""Follows forgotten in one transaction: others that write wait some hundredths of a second for it."""


def is_anything_to_forget(runtime: Runtime) -> bool:
    """Return whether a topic was removed whose follows are still there."""
    with reading(runtime.engine) as session:
        return bool(removed_topics(session))


def forget_removed_topics(
    runtime: Runtime, *, seconds: float = SECONDS, should_stop: Callable[[], bool] = lambda: False
) -> int:
    """Forget the follows of removed topics, for so long at most; return how many topics are gone for good."""
    until = monotonic() + seconds
    gone = 0
    with reading(runtime.engine) as session:
        waiting = removed_topics(session)
    for topic_id in waiting:
        forgotten = PAGE
        while forgotten == PAGE:
            if monotonic() > until or should_stop():
                return gone
            with writing(runtime.engine) as session:
                forgotten = forget_follows(session, topic_id, most=PAGE)
        gone += 1
        log.info("topic.forgotten", topic=topic_id)
    return gone
