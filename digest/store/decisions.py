"""The record of what editors decided of articles, their topics and their places in issues. Never changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import IssueId
from digest.domain.topics import TopicSlug
from digest.store.articles import ArticleId
from digest.store.base import Base, BigId


class Word(StrEnum):
    """What an editor said: of a topic yes or no, of an issue pin or drop; undo takes back what was said."""

    YES = "yes"
    NO = "no"
    PIN = "pin"
    DROP = "drop"
    UNDO = "undo"


class DecisionRow(Base):
    """One word of an editor's on an article, about a topic ('' for none) or an issue (None for none).

    The topic is kept by name: it may be removed, and what was decided stays.
    """

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), index=True)
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    topic: Mapped[str] = mapped_column(String(64))
    word: Mapped[str] = mapped_column(String(8))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Decision:
    """What an editor said of an article and a topic or issue, and what was said of the same `before`.

    `before` is None when nothing was, or when that was taken back.
    """

    article_id: ArticleId
    topic: TopicSlug | None
    issue_id: IssueId | None
    word: Word
    by: str
    at: datetime
    before: Decision | None = None


def record_decision(session: Session, decision: Decision) -> None:
    """Write down what an editor said. What was said before is found again when it is read."""
    session.add(
        DecisionRow(
            article_id=decision.article_id,
            issue_id=decision.issue_id,
            topic=decision.topic or "",
            word=decision.word,
            by=decision.by,
            at=decision.at,
        )
    )


def decisions_on(session: Session, article_id: ArticleId) -> tuple[Decision, ...]:
    """Return what editors said of an article, oldest first."""
    rows = select(DecisionRow).where(DecisionRow.article_id == article_id).order_by(DecisionRow.id)
    return _told(session.scalars(rows))


def decisions_in(session: Session, issue_id: IssueId) -> tuple[Decision, ...]:
    """Return which articles editors pinned to an issue and dropped from it, oldest first."""
    rows = select(DecisionRow).where(DecisionRow.issue_id == issue_id).order_by(DecisionRow.id)
    return _told(session.scalars(rows))


def _told(rows: Iterable[DecisionRow]) -> tuple[Decision, ...]:
    last: dict[tuple[int, int | None, str], Decision] = {}
    found = []
    for row in rows:
        about = (row.article_id, row.issue_id, row.topic)
        found.append(_decision(row, last.get(about)))
        last[about] = found[-1]
    return tuple(found)


def _decision(row: DecisionRow, last: Decision | None) -> Decision:
    return Decision(
        ArticleId(row.article_id),
        TopicSlug(row.topic) if row.topic else None,
        None if row.issue_id is None else IssueId(row.issue_id),
        Word(row.word),
        row.by,
        row.at,
        # What stood before that is the last one's own story: a chain of all would be told once for each.
        None if last is None or last.word is Word.UNDO else _alone(last),
    )


def _alone(one: Decision) -> Decision:
    return Decision(one.article_id, one.topic, one.issue_id, one.word, one.by, one.at)
