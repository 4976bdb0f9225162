"""The addresses of the ops room: under `/ops`, and `/metrics`."""

from __future__ import annotations

from fastapi import APIRouter

from digest.web.ops import (
    dry_runs,
    figures,
    health,
    kept,
    metrics,
    now,
    runs,
    schedules,
    sends,
    sign_ups,
    suppressions,
)

router = APIRouter()
for part in (now, schedules, dry_runs, runs, sends, sign_ups, suppressions, health, kept, figures, metrics):
    router.include_router(part.router)
