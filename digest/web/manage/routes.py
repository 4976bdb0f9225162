"""All addresses under `/manage`, and the right that each asks for."""

from __future__ import annotations

from fastapi import APIRouter

from digest.web.manage import (
    endpoints,
    looks,
    newsletters,
    reader_lists,
    readers,
    segments,
    sources,
    topics,
    wording,
)

router = APIRouter()
for part in (newsletters, sources, topics, reader_lists, readers, segments, looks, wording, endpoints):
    router.include_router(part.router)
