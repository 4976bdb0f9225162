"""What hosts let a robot fetch, kept for a day so that nobody is asked for it at every poll."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base, storable
from digest.store.database import insert_or_replace

_ORIGIN_MAX = 300


class HostRow(Base):
    """A host by its origin, `https://example.org:8443`."""

    __tablename__ = "hosts"

    origin: Mapped[str] = mapped_column(String(_ORIGIN_MAX), primary_key=True)
    robots: Mapped[str] = mapped_column(Text)
    tdmrep: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime | None]
    ask_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class StoredHost:
    """What is kept of a host: gather says what it means (`digest.gather.fetching.polite`)."""

    robots: str
    tdmrep: str
    fetched_at: datetime | None
    ask_at: datetime
    error: str


def find_host(session: Session, origin: str) -> StoredHost | None:
    """Return what was recorded for `origin` last."""
    row = session.get(HostRow, origin)
    if row is None:
        return None
    return StoredHost(row.robots, row.tdmrep, row.fetched_at, row.ask_at, row.error)


def record_host(session: Session, origin: str, host: StoredHost) -> None:
    """Keep `host` for `origin`; one whose name is longer than any real one is not kept."""
    if len(origin) > _ORIGIN_MAX:
        return
    words = {name: storable(value) for name, value in asdict(host).items() if isinstance(value, str)}
    insert_or_replace(session, HostRow, {"origin": origin, **asdict(host), **words})
