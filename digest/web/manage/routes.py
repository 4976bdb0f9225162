"""All addresses under `/manage`, and the right that each asks for."""

from __future__ import annotations

from fastapi import APIRouter

from digest.web.manage import looks, newsletters, sources, topics, wording

router = APIRouter()
for part in (newsletters.router, sources.router, topics.router, looks.router, wording.router):
    router.include_router(part)
