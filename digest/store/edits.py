"""The log of what editors do to an issue: each change with what it replaced, and itself never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import Issue, IssueId
from digest.store.articles import ArticleId
from digest.store.base import Base, BigId, storable
from digest.store.decisions import Decision, Word, record_decision


class Field(StrEnum):
    """What of an issue is changed: something about one of its articles, or one of its own texts."""

    WISH = "wish"
    """`pin` or `drop`."""
    PLACE = "place"
    """Where it stands, as `Place` writes it."""
    TOPIC = "topic"
    """The topic it is shown under, in place of the one it fits best."""
    HEADLINE = "headline"
    LEAD = "lead"
    """`yes`: of all reports of its story, this one is shown."""
    TAKEAWAYS = "takeaways"
    """One on a line. They are versions of the article's own; here is only that they were changed."""
    SUBJECT = "subject"
    PREHEADER = "preheader"
    INTRO = "intro"
    ONLY = "only"
    """The segment, by short name, whose readers alone it is for."""
    WITHOUT = "without"
    """The segment whose readers it leaves out."""


TEXTS = (Field.SUBJECT, Field.PREHEADER, Field.INTRO)
"""What an issue says of its own."""

LIMITS = (Field.ONLY, Field.WITHOUT)
"""Whom an issue is for."""

OF_THE_ISSUE = (*TEXTS, *LIMITS)
"""What is about the issue, and about no article of it."""


class EditRow(Base):
    """One change. `number` counts an issue's changes; those made at once have the first one's as `act`.

    What is undone is changed back by a new row, which names in `undoes` the act that it takes back.
    """

    __tablename__ = "edits"
    __table_args__ = (UniqueConstraint("issue_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    number: Mapped[int]
    act: Mapped[int]
    field: Mapped[str] = mapped_column(String(16))
    article_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"), index=True)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    undoes: Mapped[int | None]
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class About:
    """What a change is about; `article_id` is None for what is the issue's own."""

    field: Field
    article_id: ArticleId | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """A change as it was made. '' is nothing: no wish, no place, no headline but the publisher's."""

    number: int
    act: int
    about: About
    before: str
    after: str
    by: str
    at: datetime
    undoes: int | None = None


def edits_of(session: Session, issue_id: IssueId) -> tuple[Edit, ...]:
    """Return all changes of an issue, oldest first."""
    rows = session.scalars(select(EditRow).where(EditRow.issue_id == issue_id).order_by(EditRow.number))
    return tuple(map(_edit, rows))


def last_edit(session: Session, issue_id: IssueId) -> int:
    """Return the number of an issue's last change, 0 while there was none: equal means nothing changed."""
    return session.scalar(select(func.max(EditRow.number)).where(EditRow.issue_id == issue_id)) or 0


def standing_values(issue: Issue, edits: Sequence[Edit]) -> dict[About, str]:
    """Return what holds now of everything that was ever changed, and the issue's texts."""
    texts = {Field.SUBJECT: issue.subject, Field.PREHEADER: issue.preheader, Field.INTRO: issue.intro}
    return {edit.about: edit.after for edit in edits} | {About(field): text for field, text in texts.items()}


def append_edits(
    session: Session,
    issue: Issue,
    changes: Mapping[About, tuple[str, str]],
    *,
    by: str,
    now: datetime,
    undoes: int | None = None,
) -> tuple[Edit, ...]:
    """Write down changes made at once, each as before and after, and return them.

    The caller has locked the issue. What is pinned or dropped is told by the record of decisions, too.
    """
    act = last_edit(session, issue.id) + 1
    rows = [
        EditRow(
            issue_id=issue.id,
            number=act + place,
            act=act,
            field=about.field,
            article_id=about.article_id,
            before=storable(before),
            after=storable(after),
            undoes=undoes,
            by=by,
            at=now,
        )
        for place, (about, (before, after)) in enumerate(changes.items())
    ]
    session.add_all(rows)
    for row in rows:
        if row.field == Field.WISH and row.article_id is not None:
            word = Word(row.after) if row.after else Word.UNDO
            record_decision(session, Decision(ArticleId(row.article_id), None, issue.id, word, by, now))
    session.flush()
    return tuple(map(_edit, rows))


def _edit(row: EditRow) -> Edit:
    article_id = None if row.article_id is None else ArticleId(row.article_id)
    return Edit(
        row.number,
        row.act,
        About(Field(row.field), article_id),
        row.before,
        row.after,
        row.by,
        row.at,
        row.undoes,
    )
