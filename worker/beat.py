"""The beat's scheduler: celery's own in memory, which tells in one line that the broker is away."""

from __future__ import annotations

from typing import Any

import structlog
from celery.beat import ScheduleEntry, SchedulingError
from celery.beat import Scheduler as InMemory

log = structlog.get_logger(__name__)


class Scheduler(InMemory):  # type: ignore[misc]
    """Due dates are rows in the database, so the beat has nothing to remember."""

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:
        """Ring. While the broker is away nobody hears it, and the next beat rings again."""
        try:
            return super().apply_async(entry, *args, **kwargs)
        except SchedulingError as exc:
            log.error("beat.unheard", task=entry.task, reason=str(exc))
            return None
