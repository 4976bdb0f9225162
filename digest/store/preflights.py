"""What the last look at an issue's links and pictures found, until the next look."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import IssueId
from digest.store.base import Base
from digest.store.database import insert_or_replace


class PreflightRow(Base):
    """The last look at an issue. `told` is what was found, as JSON; `addresses` names what was looked at."""

    __tablename__ = "preflights"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    looked_at: Mapped[datetime]
    addresses: Mapped[str] = mapped_column(String(64))
    told: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class StoredLook:
    """When an issue was looked at, the hash of the addresses it then held, and what was found, as JSON."""

    looked_at: datetime
    addresses: str
    told: str


def record_look(session: Session, issue_id: IssueId, look: StoredLook) -> None:
    """Keep a look in place of an earlier one."""
    insert_or_replace(session, PreflightRow, {"issue_id": issue_id, **asdict(look)})


def find_look(session: Session, issue_id: IssueId) -> StoredLook | None:
    """Return the last look at an issue, None when there was none."""
    row = session.get(PreflightRow, issue_id)
    return None if row is None else StoredLook(row.looked_at, row.addresses, row.told)
