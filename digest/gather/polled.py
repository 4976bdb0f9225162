"""How one source's poll went, for those who ran it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Polled:
    """How one source's poll went. `error` is '' when the source itself could be read.

    `listed` counts its articles; they were `new`, `updated` (known, with other words now), `known`, `outside`
    the window or without a date and old, `failed`: their pages cannot be read, now or until they are tried
    again, or `later`: not reached in time, and left for the next poll.
    `problems` are sentences about single articles, `notice` one about the source. `waits_until` is set when
    it was not asked: it wants to be left alone until then or, with an `error`, failed not long ago.
    """

    source: str
    listed: int = 0
    new: int = 0
    updated: int = 0
    known: int = 0
    outside: int = 0
    failed: int = 0
    later: int = 0
    unchanged: bool = False
    problems: list[str] = field(default_factory=list)
    error: str = ""
    notice: str = ""
    waits_until: datetime | None = None
