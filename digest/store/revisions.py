"""What an approval froze of an issue: the pieces that are sent, and the outline that says who gets what."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ForeignKey, String, Text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueState, Outline
from digest.domain.mail import RenderedIssue
from digest.domain.topics import TopicSlug
from digest.store.base import Base, Json
from digest.store.issues import IssueRow, change_issue, get_issue


class RevisionRow(Base):
    """The pieces of an issue as they were approved: what is sent, byte for byte."""

    __tablename__ = "revisions"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    rendered: Mapped[str] = mapped_column(Text)
    topics: Mapped[list[str]] = mapped_column(Json)
    item_topics: Mapped[list[list[str]]] = mapped_column(Json)
    content_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


def freeze(
    session: Session,
    issue: Issue,
    rendered: RenderedIssue,
    outline: Outline,
    *,
    by: str,
    now: datetime,
    note: str = "",
) -> Issue:
    """Approve a draft with these pieces: from here on they are what is sent. Raises `Conflict`."""
    drafts = (IssueState.DRAFT,)
    change_issue(session, issue.id, IssueState.APPROVED, now=now, by=by, note=note, only_from=drafts)
    told = rendered.to_json()
    digest = _hash(told)
    revision = issue.revision + 1
    session.add(
        RevisionRow(
            issue_id=issue.id,
            revision=revision,
            rendered=told,
            topics=list(outline.topics),
            item_topics=[list(topics) for topics in outline.items],
            content_hash=digest,
            created_at=now,
        )
    )
    session.execute(
        update(IssueRow)
        .where(IssueRow.id == issue.id)
        .values(revision=revision, content_hash=digest)
        .execution_options(synchronize_session=False)
    )
    session.flush()
    return get_issue(session, issue.id)


def content_hash(rendered: RenderedIssue) -> str:
    """Return the SHA-256 of pieces, as an approval of them keeps it."""
    return _hash(rendered.to_json())


def _hash(told: str) -> str:
    return hashlib.sha256(told.encode("utf-8")).hexdigest()


def get_rendered(session: Session, issue: Issue) -> RenderedIssue:
    """Return the pieces the issue's last approval froze. Raises `Conflict` when it was never approved."""
    return _read(_revision(session, issue).rendered)


@lru_cache(maxsize=4)
def _read(told: str) -> RenderedIssue:
    """Return frozen pieces, those of the issues that are looked at most without reading them again."""
    return RenderedIssue.from_json(told)


def get_outline(session: Session, issue: Issue) -> Outline:
    """Return the outline the issue's last approval froze. Raises `Conflict` when it was never approved."""
    row = _revision(session, issue)
    items = tuple(tuple(map(TopicSlug, topics)) for topics in row.item_topics)
    return Outline(tuple(map(TopicSlug, row.topics)), items)


def _revision(session: Session, issue: Issue) -> RevisionRow:
    row = session.get(RevisionRow, (issue.id, issue.revision))
    if row is None:
        raise Conflict(
            f"issue {issue.id} is {issue.state}: approve it with 'digest issue approve {issue.id}'"
        )
    return row
