"""What readers who agreed opened and followed, by name for a term; and by issue how many, which stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Integer, String, delete, func, select, tuple_, union_all, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.deliveries import DeliveryState
from digest.domain.issues import MEASURED, Edition, IssueId
from digest.domain.measuring import Rate
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.store.audiences import EditionRow
from digest.store.base import Base, storable
from digest.store.clicks import NAME_MAX, Hit, HitRow
from digest.store.database import insert_or_ignore
from digest.store.deliveries import IS_LEASED, IS_PENDING, IS_UNSENT, DeliveryRow
from digest.store.given import Columns, given, values_given
from digest.store.issues import IssueRow

TEXT_MEASURED = Edition((), is_text=True, is_measured=True).key
"""What the keys of editions end in that are measured and have no HTML."""

Mail = tuple[IssueId, SubscriberId]
"""An issue as one reader got it."""


class OpenRow(Base):
    """A reader who agreed to be measured opened the mail of an issue. Once is all that counts.

    `until` is as long as they were told that this is kept.
    """

    __tablename__ = "opens"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime] = mapped_column(index=True)
    until: Mapped[datetime] = mapped_column(index=True)


class FollowedLinkRow(Base):
    """A reader who agreed to be measured followed a link to the article at `position` of an issue.

    `until` is as in `OpenRow`.
    """

    __tablename__ = "followed_links"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(NAME_MAX))
    at: Mapped[datetime] = mapped_column(index=True)
    until: Mapped[datetime] = mapped_column(index=True)


class IssueMeasureRow(Base):
    """How many mails of an issue were measured, as HTML and as text alone, and what became of them.

    Who takes it back is in none of them. `opened` and `followed` are readers, each once; `left_out` pictures
    that programs loaded. Of nobody in particular, so it stays as long as the issue. Without `has_links` its
    clicks were not counted.
    """

    __tablename__ = "issue_measures"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), primary_key=True)
    html: Mapped[int]
    text: Mapped[int]
    has_links: Mapped[bool]
    opened: Mapped[int] = mapped_column(default=0)
    followed: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)


_COUNTED = ("html", "text", "opened", "followed", "left_out")
_MORE: Columns = {name: Integer() for name in ("issue_id", *_COUNTED)}


@dataclass(frozen=True, slots=True)
class IssueMeasures:
    """What was measured of an issue. `html` and `text` mails to readers who agreed were delivered."""

    issue_id: IssueId
    html: int
    text: int
    has_links: bool
    opened: int
    followed: int
    left_out: int

    @property
    def open_rate(self) -> Rate | None:
        """How many opened it, of those whose mail can tell: text alone has no picture."""
        return Rate.told(self.opened, self.html)

    @property
    def follow_rate(self) -> Rate | None:
        """How many followed a link of it, where links can tell."""
        return Rate.told(self.followed, self.html + self.text) if self.has_links else None


def note_measured(session: Session, issue_id: IssueId, *, html: int, text: int, has_links: bool) -> None:
    """Keep how many mails of an issue are addressed to readers who agreed to be measured."""
    session.add(IssueMeasureRow(issue_id=issue_id, html=html, text=text, has_links=has_links))
    session.flush()


def delivered_among(session: Session, mails: Collection[Mail]) -> Mapping[Mail, datetime]:
    """Return when servers took these mails; of what none has taken there is nothing."""
    found: dict[Mail, datetime] = {}
    for issue_id in sorted({issue for issue, _ in mails}):
        rows = session.execute(
            select(DeliveryRow.subscriber_id, DeliveryRow.settled_at).where(
                DeliveryRow.issue_id == issue_id,
                DeliveryRow.subscriber_id.in_({reader for issue, reader in mails if issue == issue_id}),
                DeliveryRow.state == DeliveryState.ACCEPTED.value,
                DeliveryRow.settled_at.is_not(None),
            )
        )
        found |= {(issue_id, SubscriberId(reader)): at for reader, at in rows if at}
    return found


def count_opens(
    session: Session,
    opened: Iterable[tuple[Mail, datetime]],
    left_out: Iterable[IssueId],
    *,
    kept_for: Mapping[Mail, timedelta],
) -> None:
    """Keep who opened which mail, for as long as they agreed to, and count each of an issue once."""
    first = dict(sorted(opened, reverse=True))
    rows = [
        {"issue_id": issue, "subscriber_id": reader, "at": at, "until": at + kept_for[issue, reader]}
        for (issue, reader), at in sorted(first.items())
    ]
    new: Sequence[int] = ()
    if rows:
        added = insert_or_ignore(session, OpenRow, rows).returning(OpenRow.issue_id)
        new = session.scalars(added).all()
    add_to_measures(
        session,
        Counter((issue, IssueMeasureRow.opened.key) for issue in new)
        + Counter((issue, IssueMeasureRow.left_out.key) for issue in left_out),
    )


def count_followed(
    session: Session, hits: Iterable[tuple[Mail, Hit]], *, kept_for: Mapping[Mail, timedelta]
) -> None:
    """Keep who followed which links, for as long as they agreed to, count each reader of an issue once."""
    rows: dict[tuple[int, int, int], dict[str, object]] = {}
    for (issue, reader), hit in hits:
        rows.setdefault(
            (issue, reader, hit.position),
            {
                "issue_id": issue,
                "subscriber_id": reader,
                "position": hit.position,
                "topic": hit.topic,
                "source": storable(hit.source)[:NAME_MAX],
                "at": hit.at,
                "until": hit.at + kept_for[issue, reader],
            },
        )
    if not rows:
        return
    mails = {(issue, reader) for issue, reader, _ in rows}
    which = FollowedLinkRow.issue_id, FollowedLinkRow.subscriber_id
    before = {tuple(row) for row in session.execute(select(*which).where(tuple_(*which).in_(mails)))}
    session.execute(insert_or_ignore(session, FollowedLinkRow, [rows[key] for key in sorted(rows)]))
    new = mails - before
    add_to_measures(session, Counter((issue, IssueMeasureRow.followed.key) for issue, _ in new))


def lock_measures(session: Session, issue_ids: Collection[int]) -> None:
    """Keep the numbers of these issues to this transaction, which asks for them all at once.

    In one order everywhere: two that each wait for the other's row would wait for ever.
    """
    if not issue_ids:
        return
    rows = select(IssueMeasureRow.issue_id).where(IssueMeasureRow.issue_id.in_(issue_ids))
    session.execute(rows.order_by(IssueMeasureRow.issue_id).with_for_update()).all()


def add_to_measures(session: Session, counts: Mapping[tuple[int, str], int]) -> None:
    """Add these, by issue and column, to the numbers of their issues. Less than 0 is taken off."""
    if not counts:
        return
    lock_measures(session, {issue_id for issue_id, _ in counts})
    connection = session.connection()
    rows = [
        (issue_id, *(counts.get((issue_id, name), 0) for name in _COUNTED))
        for issue_id in sorted({issue_id for issue_id, _ in counts})
    ]
    more = given(connection.dialect.name, _MORE)
    connection.execute(
        update(IssueMeasureRow)
        .where(IssueMeasureRow.issue_id == more.c.issue_id)
        .values({name: getattr(IssueMeasureRow, name) + more.c[name] for name in _COUNTED}),
        values_given(connection, _MORE, rows),
    )


def forget_measured(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> None:
    """Remove what was measured of a reader by name, also what is not judged yet."""
    issues = select(IssueRow.id).where(IssueRow.newsletter_id == newsletter_id)
    for row in (OpenRow, FollowedLinkRow, HitRow):
        gone = delete(row).where(row.subscriber_id == subscriber_id, row.issue_id.in_(issues))
        session.execute(gone.execution_options(synchronize_session=False))


def measures_of(session: Session, issue_ids: Collection[int]) -> dict[IssueId, IssueMeasures]:
    """Return what was measured of these issues; of one that nobody was measured in there is nothing."""
    rows = session.scalars(select(IssueMeasureRow).where(IssueMeasureRow.issue_id.in_(issue_ids))).all()
    return {IssueId(row.issue_id): _measures(row, _undelivered(session, row)) for row in rows}


def _measures(row: IssueMeasureRow, undelivered: Mapping[bool, int]) -> IssueMeasures:
    return IssueMeasures(
        IssueId(row.issue_id),
        row.html - undelivered.get(False, 0),
        row.text - undelivered.get(True, 0),
        row.has_links,
        row.opened,
        row.followed,
        row.left_out,
    )


def _undelivered(session: Session, row: IssueMeasureRow) -> dict[bool, int]:
    """Return how many measured mails of an issue no server has taken, by whether they are text alone.

    Looked for among those that partial indexes hold: they are few of a million that were sent. While they
    wait they are all: so the issue's editions come first, and without a measured one nothing is read.
    """
    if not row.html + row.text:
        return {}
    measured = select(EditionRow.id, EditionRow.key).where(
        EditionRow.issue_id == row.issue_id, EditionRow.key.endswith(MEASURED)
    )
    is_text = {edition: key.endswith(TEXT_MEASURED) for edition, key in session.execute(measured)}
    if not is_text:
        return {}
    which = DeliveryRow.edition_id.in_(measured.with_only_columns(EditionRow.id))
    parts = [
        select(DeliveryRow.edition_id).where(*of_issue, which)
        for of_issue in (
            (DeliveryRow.issue_id == row.issue_id, IS_PENDING),
            # Reckoned with, the number of the issue does not lead SQLite to read all deliveries of the issue.
            (DeliveryRow.issue_id + 0 == row.issue_id, IS_LEASED),
            (DeliveryRow.issue_id == row.issue_id, IS_UNSENT),
        )
    ]
    found = union_all(*parts).subquery()
    count: Counter[bool] = Counter()
    by_edition = select(found.c.edition_id, func.count()).group_by(found.c.edition_id)
    for edition, mails in session.execute(by_edition):
        count[is_text[edition]] += mails
    return count
