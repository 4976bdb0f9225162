"""Segments: saved questions about a newsletter's readers, and how many readers they last fitted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.errors import Conflict, NotFound
from digest.domain.newsletters import NewsletterId
from digest.domain.segments import SEGMENTS_MAX, Segment, SegmentId
from digest.store.base import Base


class SegmentRow(Base):
    """A segment of a newsletter. `readers` were counted at `counted_at`; None: nobody counted since."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("newsletter_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletters.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    query: Mapped[str] = mapped_column(Text)
    readers: Mapped[int | None]
    counted_at: Mapped[datetime | None]


def add_segment(
    session: Session, newsletter_id: NewsletterId, *, slug: str, name: str, query: str
) -> Segment:
    """Store a segment. Raises `Conflict` for a name that is taken, or when there are too many."""
    if find_segment(session, newsletter_id, slug) is not None:
        raise Conflict(f"there is a segment '{slug}' already: choose another short name, or change that one")
    count = session.scalar(select(func.count()).where(SegmentRow.newsletter_id == newsletter_id)) or 0
    if count >= SEGMENTS_MAX:
        raise Conflict(f"the newsletter has {SEGMENTS_MAX} segments, which is all it can have: remove one")
    row = SegmentRow(newsletter_id=newsletter_id, slug=slug, name=name, query=query)
    session.add(row)
    session.flush()
    return _segment(row)


def list_segments(session: Session, newsletter_id: NewsletterId) -> tuple[Segment, ...]:
    """Return a newsletter's segments by name."""
    rows = select(SegmentRow).where(SegmentRow.newsletter_id == newsletter_id)
    return tuple(map(_segment, session.scalars(rows.order_by(SegmentRow.name, SegmentRow.id))))


def find_segment(session: Session, newsletter_id: NewsletterId, slug: str) -> Segment | None:
    """Return a segment, or None when there is none of that short name."""
    row = session.scalar(
        select(SegmentRow).where(SegmentRow.newsletter_id == newsletter_id, SegmentRow.slug == slug)
    )
    return None if row is None else _segment(row)


def get_segment(
    session: Session,
    newsletter_id: NewsletterId,
    slug: str,
    *,
    to_change: bool = False,
    to_name: bool = False,
) -> Segment:
    """Return a segment. Raises `NotFound`, which names those there are.

    With `to_change`, whoever approves an issue that names it, or names it in one, waits until this
    transaction ends. With `to_name` nobody changes it before that.
    """
    if to_change or to_name:
        this = SegmentRow.newsletter_id == newsletter_id, SegmentRow.slug == slug
        session.execute(select(SegmentRow.id).where(*this).with_for_update(read=to_name))
    found = find_segment(session, newsletter_id, slug)
    if found is None:
        slugs = ", ".join(one.slug for one in list_segments(session, newsletter_id))
        raise NotFound(f"no segment '{slug}'; there is: {slugs or 'none yet'}")
    return found


def change_segment(session: Session, segment_id: SegmentId, *, name: str, query: str) -> None:
    """Store a segment's name and question; with another question its count is forgotten."""
    row = session.get_one(SegmentRow, segment_id)
    if row.query != query:
        row.readers, row.counted_at = None, None
    row.name, row.query = name, query
    session.flush()


def remove_segment(session: Session, segment_id: SegmentId) -> None:
    """Remove a segment. Nobody's subscription changes."""
    session.execute(delete(SegmentRow).where(SegmentRow.id == segment_id))


def note_count(session: Session, segment: Segment, readers: int, *, now: datetime) -> None:
    """Keep how many readers a segment fits, unless its question is another by now."""
    session.execute(
        update(SegmentRow)
        .where(SegmentRow.id == segment.id, SegmentRow.query == segment.query)
        .values(readers=readers, counted_at=now)
    )


def _segment(row: SegmentRow) -> Segment:
    return Segment(SegmentId(row.id), row.slug, row.name, row.query, row.readers, row.counted_at)
