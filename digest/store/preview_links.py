"""Links that show an issue to people without an account, until they end or are taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from sqlalchemy import ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import NotFound
from digest.domain.issues import IssueId
from digest.domain.subscribers import SubscriberId
from digest.domain.topics import TopicSlug
from digest.store.base import NEVER_AGAIN, Base, Json

PreviewLinkId = NewType("PreviewLinkId", int)


class PreviewLinkRow(Base):
    """A link to an issue as one reader gets it: a subscriber or, without one, a reader of these topics.

    No `topics` are all of them. Who took it back, and when, say `revoked_by` and `revoked_at`.
    """

    __tablename__ = "preview_links"
    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    subscriber_id: Mapped[int | None]
    topics: Mapped[list[str]] = mapped_column(Json)
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_by: Mapped[str] = mapped_column(String(200))
    revoked_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class PreviewLink:
    """A link as it was made; `revoked_at` is None while nobody took it back."""

    id: PreviewLinkId
    issue_id: IssueId
    subscriber_id: SubscriberId | None
    topics: tuple[TopicSlug, ...]
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_by: str = ""
    revoked_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Return whether the link shows anything now."""
        return self.revoked_at is None and now < self.expires_at


def add_preview_link(
    session: Session,
    issue_id: IssueId,
    *,
    subscriber_id: SubscriberId | None,
    topics: Sequence[TopicSlug],
    by: str,
    now: datetime,
    expires_at: datetime,
) -> PreviewLink:
    """Store a link and return it."""
    row = PreviewLinkRow(
        issue_id=issue_id,
        subscriber_id=subscriber_id,
        topics=list(topics),
        made_by=by,
        made_at=now,
        expires_at=expires_at,
        revoked_by="",
    )
    session.add(row)
    session.flush()
    return _link(row)


def preview_links(session: Session, issue_id: IssueId) -> tuple[PreviewLink, ...]:
    """Return an issue's links, the newest first, also those that are over."""
    rows = select(PreviewLinkRow).where(PreviewLinkRow.issue_id == issue_id)
    return tuple(map(_link, session.scalars(rows.order_by(PreviewLinkRow.id.desc()))))


def get_preview_link(session: Session, issue_id: int, link_id: int) -> PreviewLink:
    """Return an issue's link. Raises `NotFound`."""
    row = session.get(PreviewLinkRow, link_id)
    if row is None or row.issue_id != issue_id:
        raise NotFound(f"issue {issue_id} has no preview link {link_id}")
    return _link(row)


def revoke_preview_link(session: Session, link_id: PreviewLinkId, *, by: str, now: datetime) -> bool:
    """Let a link show nothing any more; return whether this call did it."""
    revoked = session.scalar(
        update(PreviewLinkRow)
        .where(PreviewLinkRow.id == link_id, PreviewLinkRow.revoked_at.is_(None))
        .values(revoked_by=by, revoked_at=now)
        .returning(PreviewLinkRow.id)
    )
    return revoked is not None


def _link(row: PreviewLinkRow) -> PreviewLink:
    return PreviewLink(
        id=PreviewLinkId(row.id),
        issue_id=IssueId(row.issue_id),
        subscriber_id=None if row.subscriber_id is None else SubscriberId(row.subscriber_id),
        topics=tuple(map(TopicSlug, row.topics)),
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        revoked_by=row.revoked_by,
        revoked_at=row.revoked_at,
    )
