"""Which readers an issue is for: a segment alone, or all without one. Frozen when it is addressed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ForeignKey, String, Text, not_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.approvals import AUTOMATIC
from digest.domain.errors import Conflict
from digest.domain.issues import Issue, IssueId, IssueState
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.segments import (
    BESIDE_WHO_READS,
    Segment,
    asks_beside_who_reads,
    asks_who_reads,
    fits_who_reads,
)
from digest.domain.subscribers import SubscriberId
from digest.store.base import Base
from digest.store.edits import LIMITS, About, Field, append_edits, edits_of, standing_values
from digest.store.issues import issues_in
from digest.store.segment_conditions import Asked, Is
from digest.store.segments import SegmentRow, find_segment
from digest.store.subscribers import SubscriberRow, SubscriptionRow


class IssueSegmentRow(Base):
    """A segment that an issue was limited to, or that it left out, as it was when it was addressed."""

    __tablename__ = "issue_segments"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    field: Mapped[str] = mapped_column(String(16), primary_key=True)
    slug: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    query: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Named:
    """A segment by its names, and its question."""

    slug: str
    name: str
    query: str

    @classmethod
    def of(cls, segment: Segment) -> Named:
        """Return what an issue keeps of a segment."""
        return cls(segment.slug, segment.name, segment.query)


@dataclass(frozen=True, slots=True)
class Limits:
    """Whom an issue is for: readers of `only` alone, and none of `without`; None: that limits nothing."""

    only: Named | None = None
    without: Named | None = None

    def __bool__(self) -> bool:
        return bool(self.only or self.without)

    @property
    def in_words(self) -> str:
        """Whom it is for, '' for everybody."""
        only = f"for readers of the segment ‘{self.only.name}’ alone" if self.only else "for all readers"
        without = f" but those of ‘{self.without.name}’" if self.without else ""
        return f"{only}{without}" if self else ""

    def mark(self, of: str) -> str:
        """Return the hash `of` what an issue says, and of whom it is for where that is not everybody."""
        return hashlib.sha256(f"{of} {self.only} {self.without}".encode()).hexdigest() if self else of


EVERYBODY = Limits()


def limits_of(session: Session, issue: Issue) -> Limits:
    """Return whom an issue is for: as it was addressed, or as its editors have it now."""
    if issue.sending_at is not None:
        rows = session.scalars(select(IssueSegmentRow).where(IssueSegmentRow.issue_id == issue.id))
        return Limits(**{row.field: Named(row.slug, row.name, row.query) for row in rows})
    return wanted_limits(session, issue)


def hold_segments(session: Session, issue: Issue) -> None:
    """Keep the segments that a draft names from being changed or removed until this transaction ends."""
    standing = standing_values(issue, edits_of(session, issue.id))
    named = [standing.get(About(field), "") for field in LIMITS]
    session.scalars(
        select(SegmentRow)
        .where(SegmentRow.newsletter_id == issue.newsletter_id, SegmentRow.slug.in_(named))
        .order_by(SegmentRow.id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).all()


def wanted_limits(session: Session, issue: Issue) -> Limits:
    """Return whom an issue is for as its editors have it. A segment that is gone asks nothing any more."""
    standing = standing_values(issue, edits_of(session, issue.id))
    named = {field.value: slug for field in LIMITS if (slug := standing.get(About(field), ""))}
    return Limits(**{field: _named(session, issue, slug) for field, slug in named.items()})


def _named(session: Session, issue: Issue, slug: str) -> Named:
    found = find_segment(session, issue.newsletter_id, slug)
    return Named.of(found) if found else Named(slug, slug, "")


def freeze_limits(session: Session, issue_id: IssueId, limits: Limits) -> None:
    """Keep whom an issue was addressed to."""
    for field, named in ((Field.ONLY, limits.only), (Field.WITHOUT, limits.without)):
        if named:
            session.add(
                IssueSegmentRow(
                    issue_id=issue_id, field=field.value, slug=named.slug, name=named.name, query=named.query
                )
            )
    session.flush()


def carry_limits(session: Session, gone: Issue, made: Issue, *, now: datetime) -> None:
    """Let an issue that is made again be for whom the cancelled one was for, unless its editors say more."""
    if wanted_limits(session, made):
        return
    limits = limits_of(session, gone)
    told = {
        About(field): ("", named.slug)
        for field, named in ((Field.ONLY, limits.only), (Field.WITHOUT, limits.without))
        if named
    }
    append_edits(session, made, told, by=AUTOMATIC, now=now)


def why_not(field: Field, named: Named) -> str:
    """Return why no issue can be limited so by a segment, '' where one can: nobody pays for what they read.

    Nor for not letting it be measured: who does not gets all mail.
    """
    if not asks_who_reads(named.query):
        return ""
    if field is Field.ONLY:
        return (
            f"the segment '{named.slug}' asks who reads: an issue cannot be for it alone, as who does not "
            "let themselves be measured gets all mail. An issue can leave out who reads no more, as in "
            "NOT opened:<30"
        )
    if asks_beside_who_reads(named.query):
        return f"the segment '{named.slug}' cannot be asked: {BESIDE_WHO_READS}"
    if fits_who_reads(named.query):
        return (
            f"the segment '{named.slug}' fits readers because they read: an issue can leave out who reads no "
            "more, and nobody who does. Write its question with NOT, as in NOT opened:<30"
        )
    return ""


def leaves_out_quiet(limits: Limits) -> bool:
    """Return whether an issue leaves out who reads no more."""
    return bool(limits.without and asks_who_reads(limits.without.query))


def outside(
    session: Session, newsletter: Newsletter, limits: Limits, *, now: datetime | None = None
) -> Is | None:
    """Return the condition that keeps a reader from an issue of these limits, None where there are none.

    `now` is when it is asked, None: at this moment. Raises `Conflict` where a segment is not there any more,
    or is none that an issue can be for.
    """
    at = now or datetime.now(UTC)
    for field, named in ((Field.ONLY, limits.only), (Field.WITHOUT, limits.without)):
        if named and not named.query:
            raise Conflict(f"the segment '{named.slug}' is not there any more: choose another one, or none")
        if named and (why := why_not(field, named)):
            raise Conflict(why)
    kept: list[Is] = []
    if limits.only:
        kept.append(not_(Asked.of(session, newsletter, limits.only.query, now=at).fits))
    if limits.without:
        kept.append(Asked.of(session, newsletter, limits.without.query, now=at).fits)
    return or_(*kept) if kept else None


def is_outside(
    session: Session,
    newsletter: Newsletter,
    limits: Limits,
    subscriber_id: SubscriberId,
    *,
    now: datetime | None = None,
) -> bool:
    """Return whether an issue of these limits is not for one reader."""
    kept = outside(session, newsletter, limits, now=now)
    if kept is None:
        return False
    found = (
        select(SubscriberRow.id)
        .join(SubscriptionRow, SubscriptionRow.subscriber_id == SubscriberRow.id)
        .where(SubscriptionRow.newsletter_id == newsletter.id, SubscriberRow.id == subscriber_id, kept)
    )
    return session.scalar(found) is not None


def issues_that_name(
    session: Session,
    newsletter_id: NewsletterId,
    slug: str,
    *states: IssueState,
    fields: Sequence[Field] = LIMITS,
) -> Sequence[IssueId]:
    """Return the issues in these states, not addressed yet, that name a segment in one of these `fields`."""
    open_ones = [
        one
        for one in issues_in(session, *states)
        if one.newsletter_id == newsletter_id and one.sending_at is None
    ]
    return [
        one.id
        for one in open_ones
        if slug in {standing_values(one, edits_of(session, one.id)).get(About(field)) for field in fields}
    ]
