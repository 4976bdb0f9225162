"""Who had a draft in hand before it is approved: who asked for that, and who changed it last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.approvals import AUTOMATIC, Hands, Request
from digest.domain.issues import IssueId
from digest.store.base import Base, storable
from digest.store.condensings import CondensingRow
from digest.store.database import insert_or_replace
from digest.store.edits import EditRow
from digest.store.items import ItemRow


class ApprovalRequestRow(Base):
    """Somebody asked for an issue to be approved: the last one who did."""

    __tablename__ = "approval_requests"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)


def record_request(session: Session, issue_id: IssueId, request: Request) -> None:
    """Keep a request in place of an earlier one."""
    row = {"issue_id": issue_id, "by": request.by, "at": request.at, "note": storable(request.note)}
    insert_or_replace(session, ApprovalRequestRow, row)


def forget_request(session: Session, issue_id: IssueId) -> None:
    """Let nobody have asked: what they asked for is over."""
    session.execute(delete(ApprovalRequestRow).where(ApprovalRequestRow.issue_id == issue_id))


def hands_of(session: Session, issue_id: IssueId) -> Hands:
    """Return who asked for an issue's approval, and which person changed what it says last."""
    row = session.get(ApprovalRequestRow, issue_id)
    return Hands(_last_shaper(session, issue_id), Request(row.by, row.at, row.note) if row else None)


def _last_shaper(session: Session, issue_id: IssueId) -> str:
    decided = (
        select(EditRow.at, EditRow.by)
        .where(EditRow.issue_id == issue_id, EditRow.by != AUTOMATIC)
        .order_by(EditRow.number.desc())
        .limit(1)
    )
    written = (
        select(CondensingRow.made_at, CondensingRow.made_by)
        .join(ItemRow, ItemRow.article_id == CondensingRow.article_id)
        .where(ItemRow.issue_id == issue_id, CondensingRow.made_by != "")
        .order_by(CondensingRow.made_at.desc(), CondensingRow.version.desc())
        .limit(1)
    )
    found = [row for query in (decided, written) if (row := session.execute(query).first())]
    return max(found, key=lambda row: row[0])[1] if found else ""
