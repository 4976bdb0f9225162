"""What hosts said of robots, kept in the database from one run to the next."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from sqlalchemy import Engine

from digest.gather.fetching.polite import HostRules
from digest.store.database import reading, writing
from digest.store.hosts import StoredHost, find_host, record_host


class StoredHosts:
    """A `HostMemory` in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def get(self, origin: str) -> HostRules | None:
        """Return what was put for `origin` last, by whichever process."""
        return await asyncio.to_thread(self._get, origin)

    async def put(self, origin: str, rules: HostRules) -> None:
        """Keep `rules` for `origin`."""
        await asyncio.to_thread(self._put, origin, rules)

    def _get(self, origin: str) -> HostRules | None:
        with reading(self._engine) as session:
            host = find_host(session, origin)
        return HostRules(**asdict(host)) if host else None

    def _put(self, origin: str, rules: HostRules) -> None:
        with writing(self._engine) as session:
            record_host(session, origin, StoredHost(**asdict(rules)))
