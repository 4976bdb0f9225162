"""The beat's scheduler: Celery's own in memory, which rings at once and takes a silent broker calmly."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from celery.beat import ScheduleEntry, SchedulingError
from celery.beat import Scheduler as InMemory

log = structlog.get_logger(__name__)


class Scheduler(InMemory):  # type: ignore[misc]
    """Due dates are rows in the database, so the beat has nothing to remember from run to run."""

    def setup_schedule(self) -> None:
        """Begin with everything due: what was missed while no beat was there need not wait longer."""
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at -= timedelta(days=1)

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:
        """Ring. While the broker is away nobody hears it, and the next beat rings again."""
        try:
            return super().apply_async(entry, *args, **kwargs)
        except SchedulingError as exc:
            log.error("beat.unheard", task=entry.task, reason=str(exc))
            return None
