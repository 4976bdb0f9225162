"""What an issue is to come to, as it was last worked out: who gets how much, and what its checks find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import IssueId
from digest.store.base import Base
from digest.store.database import insert_or_replace


class OutlookRow(Base):
    """The last outlook on an issue. `stamp` is the hash of what it was worked out of, `told` is JSON."""

    __tablename__ = "outlooks"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    stamp: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    told: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class StoredOutlook:
    """When an outlook was worked out, what of, and what it says, as JSON."""

    stamp: str
    made_at: datetime
    told: str


def record_outlook(session: Session, issue_id: IssueId, outlook: StoredOutlook) -> None:
    """Keep an outlook in place of an earlier one."""
    row = {
        "issue_id": issue_id,
        "stamp": outlook.stamp,
        "made_at": outlook.made_at,
        "told": outlook.told,
    }
    insert_or_replace(session, OutlookRow, row)


def find_outlook(session: Session, issue_id: IssueId) -> StoredOutlook | None:
    """Return the last outlook on an issue, None when there was none."""
    row = session.get(OutlookRow, issue_id)
    return None if row is None else StoredOutlook(row.stamp, row.made_at, row.told)
