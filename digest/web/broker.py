"""Whether the broker answers, as pages tell it."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

PATIENCE = 0.5
"""Seconds. It is asked while somebody waits for a page, and Redis answers in less than one thousandth."""


def is_in_process(url: str) -> bool:
    """Return whether a broker is the one inside `digest up`: there is nothing to ask then."""
    return urlsplit(url).scheme == "memory"


def milliseconds_of(url: str) -> float | None:
    """Return how long Redis takes to answer, None when it does not within `PATIENCE`.

    What a driver says of it is not told: it may hold the password of its address.
    """
    import redis  # 0.1 s, which only those who have one need
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    begun = time.perf_counter()
    try:
        with redis.Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError):
        return None
    return (time.perf_counter() - begun) * 1000
