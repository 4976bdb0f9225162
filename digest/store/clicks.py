"""Clicks on the links of mail: hits until they are judged, then counts by hour, of nobody in particular."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, false, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.issues import IssueId
from digest.domain.subscribers import SubscriberId
from digest.store.base import Base, BigId, storable
from digest.store.database import insert_or_ignore
from digest.store.issues import IssueRow

NAME_MAX = 200
NOWHERE = -1
"""Where the picture of a mail leads that tells that it was opened."""


class HitRow(Base):
    """A counted link that was opened a moment ago. It goes when it was judged, within minutes.

    `visitor` is a keyed hash of address and browser, '' where the address tells nobody apart. `subscriber_id`
    is whose mail it stood in, of readers who agreed to be measured; with `is_open` it is no link but the
    picture that tells that their mail was opened.
    """

    __tablename__ = "hits"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visitor: Mapped[str] = mapped_column(String(32))
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    position: Mapped[int]
    topic: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(NAME_MAX))
    place: Mapped[int]
    subscriber_id: Mapped[int | None] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), index=True
    )
    is_open: Mapped[bool] = mapped_column(default=False, server_default=false())


class ClickRow(Base):
    """How often links of one kind were followed in an hour (UTC).

    They lead to the item at `position` of its issue, as `source` tells it, and stood under `topic` in the
    `place`-th article of a mail, 0 where that is not known. `left_out` were programs that open all links.
    """

    __tablename__ = "clicks"
    __table_args__ = (UniqueConstraint("issue_id", "hour", "position", "topic", "source", "place"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issues.id", ondelete="CASCADE"))
    hour: Mapped[datetime] = mapped_column(index=True)
    position: Mapped[int]
    topic: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(NAME_MAX))
    place: Mapped[int]
    followed: Mapped[int]
    left_out: Mapped[int]


@dataclass(frozen=True, slots=True)
class Hit:
    """A counted link that was opened: when, whose, where it leads and where in the mail it stood.

    `reader` is whose mail it is, of readers who agreed to be measured. With `is_open` it is the picture that
    tells that they opened it, and leads nowhere.
    """

    visitor: str
    issue_id: IssueId
    at: datetime
    position: int
    topic: str
    source: str
    place: int
    reader: SubscriberId | None = None
    is_open: bool = False

    @property
    def link(self) -> tuple[int, str]:
        """Where it leads."""
        return self.position, self.source


@dataclass(frozen=True, slots=True)
class ClickCount:
    """How often what was followed: links of one item, as one source tells it, at one place of mails."""

    issue_id: IssueId
    position: int
    topic: str
    source: str
    place: int
    followed: int
    left_out: int


def record_hits(session: Session, hits: Iterable[Hit]) -> None:
    """Keep what was opened until it is judged."""
    session.add_all(
        HitRow(
            visitor=hit.visitor,
            issue_id=hit.issue_id,
            at=hit.at,
            position=hit.position,
            topic=hit.topic,
            source=storable(hit.source)[:NAME_MAX],
            place=hit.place,
            subscriber_id=hit.reader,
            is_open=hit.is_open,
        )
        for hit in hits
    )
    session.flush()


def waiting_hits(session: Session, *, most: int) -> list[tuple[int, Hit]]:
    """Return what waits to be judged with its row's id, the oldest first."""
    rows = session.scalars(select(HitRow).order_by(HitRow.at, HitRow.id).limit(most))
    return [
        (
            row.id,
            Hit(
                row.visitor,
                IssueId(row.issue_id),
                row.at,
                row.position,
                row.topic,
                row.source,
                row.place,
                None if row.subscriber_id is None else SubscriberId(row.subscriber_id),
                row.is_open,
            ),
        )
        for row in rows
    ]


def take_hits(session: Session, ids: Collection[int]) -> set[int]:
    """Remove hits that are judged; return those that nobody else has just taken."""
    gone = delete(HitRow).where(HitRow.id.in_(ids)).returning(HitRow.id)
    return set(session.scalars(gone.execution_options(synchronize_session=False)))


def opening(issue_id: IssueId, reader: SubscriberId, visitor: str, at: datetime) -> Hit:
    """Return that somebody's mail was opened."""
    return Hit(visitor, issue_id, at, NOWHERE, "", "", 0, reader, is_open=True)


def count_clicks(session: Session, followed: Sequence[Hit], left_out: Sequence[Hit]) -> None:
    """Add hits to the counts of their hours."""
    people, programs = Counter(map(_key, followed)), Counter(map(_key, left_out))
    # In one order everywhere: two that each wait for the other's row would wait for ever.
    for key in sorted(people | programs):
        names = dict(zip(("issue_id", "hour", "position", "topic", "source", "place"), key, strict=True))
        new = {**names, "followed": 0, "left_out": 0}
        session.execute(insert_or_ignore(session, ClickRow, [new]))
        session.execute(
            update(ClickRow)
            .filter_by(**names)
            .values(followed=ClickRow.followed + people[key], left_out=ClickRow.left_out + programs[key])
            .execution_options(synchronize_session=False)
        )


def _key(hit: Hit) -> tuple[IssueId, datetime, int, str, str, int]:
    hour = hit.at.replace(minute=0, second=0, microsecond=0)
    return hit.issue_id, hour, hit.position, hit.topic, hit.source, hit.place


def clicks_of(session: Session, issue_ids: Collection[int]) -> tuple[ClickCount, ...]:
    """Return the clicks on the links of these issues, over all hours."""
    kind = (ClickRow.issue_id, ClickRow.position, ClickRow.topic, ClickRow.source, ClickRow.place)
    rows = session.execute(
        select(*kind, func.sum(ClickRow.followed), func.sum(ClickRow.left_out))
        .where(ClickRow.issue_id.in_(issue_ids))
        .group_by(*kind)
    )
    return tuple(
        ClickCount(IssueId(issue), position, topic, source, place, int(followed), int(left_out))
        for issue, position, topic, source, place, followed, left_out in rows
    )


def followed_since(session: Session, since: datetime) -> dict[int, int]:
    """Return how many links were followed since an hour, by newsletters; none for those with none."""
    rows = session.execute(
        select(IssueRow.newsletter_id, func.sum(ClickRow.followed))
        .join(IssueRow, IssueRow.id == ClickRow.issue_id)
        .where(ClickRow.hour >= since)
        .group_by(IssueRow.newsletter_id)
    )
    return {newsletter: int(followed) for newsletter, followed in rows}
