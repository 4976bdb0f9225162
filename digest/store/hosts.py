"""What servers let a robot fetch, kept for a day so that nobody is asked at every poll."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.store.base import Base, Json


class HostRow(Base):
    """A server by its origin (`https://example.org`), and its rules as gather reads them."""

    __tablename__ = "hosts"

    origin: Mapped[str] = mapped_column(String(300), primary_key=True)
    rules: Mapped[dict[str, Any]] = mapped_column(Json)
    fetched_at: Mapped[datetime]


def find_host_rules(session: Session, origin: str) -> dict[str, Any] | None:
    """Return what is kept of a server's rules."""
    row = session.get(HostRow, origin)
    return row.rules if row else None


def record_host_rules(session: Session, origin: str, rules: dict[str, Any], *, fetched_at: datetime) -> None:
    """Keep a server's rules."""
    session.merge(HostRow(origin=origin, rules=rules, fetched_at=fetched_at))


def forget_hosts(session: Session, *, before: datetime) -> None:
    """Forget the rules that were fetched before then."""
    session.execute(delete(HostRow).where(HostRow.fetched_at < before))
