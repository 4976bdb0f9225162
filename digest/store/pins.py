"""What editors want in an issue, whatever it scores, and what they never want in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import Conflict
from digest.domain.issues import IssueId, IssueState
from digest.store.articles import ArticleId
from digest.store.base import Base
from digest.store.decisions import Decision, Word, record_decision
from digest.store.issues import lock_issue


class PinKind(StrEnum):
    """What an editor wants of an article in an issue."""

    PIN = "pin"
    DROP = "drop"


class PinRow(Base):
    """An editor's wish for one article in one issue: the last one counts."""

    __tablename__ = "pins"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("articles.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kind: Mapped[str] = mapped_column(String(8))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Pin:
    """What an editor wants of an article in an issue, and who."""

    kind: PinKind
    by: str


def pins_of(session: Session, issue_id: IssueId) -> dict[ArticleId, Pin]:
    """Return what editors want of an issue's articles."""
    rows = session.scalars(select(PinRow).where(PinRow.issue_id == issue_id).order_by(PinRow.article_id))
    return {ArticleId(row.article_id): Pin(PinKind(row.kind), row.by) for row in rows}


def set_pin(
    session: Session, issue_id: int, article_id: ArticleId, kind: PinKind | None, *, by: str, now: datetime
) -> Pin | None:
    """Write down a wish, or forget it (None); return the one before. Raises `Conflict` but for a draft.

    The record of decisions keeps both. Who wishes the same again decides nothing.
    """
    issue = lock_issue(session, issue_id)
    if issue.state is not IssueState.DRAFT:
        raise Conflict(
            f"issue {issue_id} is {issue.state}: what was approved stays as it is; only a draft's articles "
            "can be pinned or dropped"
        )
    before = pins_of(session, issue.id).get(article_id)
    wish = None if kind is None else Pin(kind, by)
    if wish == before:
        return before
    session.execute(delete(PinRow).where(PinRow.issue_id == issue_id, PinRow.article_id == article_id))
    if wish is not None:
        session.add(PinRow(issue_id=issue_id, article_id=article_id, kind=wish.kind, by=by, at=now))
    word = Word.UNDO if kind is None else Word(kind)
    record_decision(session, Decision(article_id, None, issue.id, word, by, now))
    session.flush()
    return before
