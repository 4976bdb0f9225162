"""The addresses of the ops room, all under `/ops`."""

from __future__ import annotations

from fastapi import APIRouter

from digest.web.ops import now, runs, schedules, sends

router = APIRouter()
for part in (now, schedules, runs, sends):
    router.include_router(part.router)
