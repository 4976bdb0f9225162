"""Hits are kept until those of a visitor can be judged together; then they are counts, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Engine

from digest.store.clicks import Hit, count_clicks, record_hits, take_hits, waiting_hits
from digest.store.database import reading, writing
from digest.track.clicks import AT_LAST, QUIET, is_burst, once_each

log = structlog.get_logger(__name__)

AT_ONCE = 5_000
"""Hits judged in one transaction: half a second."""


def visitor_of(key: bytes, client: str, agent: str) -> str:
    """Return what tells a visitor from others for some minutes, '' where their address tells nobody apart.

    With `key` unknown nobody can tell from it whose address it was.
    """
    return hmac.new(key, f"{client}\n{agent}".encode(), hashlib.sha256).hexdigest()[:32] if client else ""


def keep_hits(engine: Engine, hits: Sequence[Hit]) -> None:
    """Keep hits until they are judged."""
    with writing(engine) as session:
        record_hits(session, hits)


def settle_hits(engine: Engine, *, now: datetime) -> int:
    """Judge and count the hits of all who have followed no link for a while; return how many that were.

    What waits is looked at from the oldest on, `AT_ONCE` at a time.
    """
    with reading(engine) as session:
        if not waiting_hits(session, most=1):
            return 0
    with writing(engine) as session:
        ripe = [group for group in _by_visitor(waiting_hits(session, most=AT_ONCE)) if _is_ripe(group, now)]
        taken = take_hits(session, [number for group in ripe for number, _ in group])
        followed: list[Hit] = []
        left_out: list[Hit] = []
        for group in ripe:
            hits = [hit for number, hit in group if number in taken]
            if not group[0][1].visitor:
                followed += hits
            elif is_burst(hits):
                left_out += hits
            else:
                followed += once_each(hits)
        count_clicks(session, followed, left_out)
    if left_out:
        log.info("clicks.left_out", hits=len(left_out))
    return len(taken)


_Group = list[tuple[int, Hit]]


def _by_visitor(waiting: Sequence[tuple[int, Hit]]) -> list[_Group]:
    """Return what waits by who opened which issue's links. Who cannot be told apart is one of many."""
    groups: dict[object, _Group] = {}
    for number, hit in waiting:
        groups.setdefault((hit.visitor or number, hit.issue_id), []).append((number, hit))
    return list(groups.values())


def _is_ripe(group: _Group, now: datetime) -> bool:
    return group[-1][1].at <= now - QUIET or group[0][1].at <= now - AT_LAST
