"""The addresses of the ops room, all under `/ops`."""

from __future__ import annotations

from fastapi import APIRouter

from digest.web.ops import now, runs, schedules

router = APIRouter()
for part in (now, schedules, runs):
    router.include_router(part.router)
