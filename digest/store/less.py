"""What readers asked to get less of, each kind in a table of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, ForeignKey, String, delete, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from digest.domain.less import NOTHING_LESS, Less, source_key
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.domain.topics import TopicSlug
from digest.store.base import Base, storable
from digest.store.database import insert_or_ignore, insert_or_replace
from digest.store.newsletters import topic_ids
from digest.store.subscribers import SubscriberRow

_T = TypeVar("_T")


class MutedTopicRow(Base):
    """A topic counts as not followed for a subscriber, until then. `since` None is as long as is known."""

    __tablename__ = "muted_topics"

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    topic_id: Mapped[int] = mapped_column(
        ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    until: Mapped[datetime]
    since: Mapped[datetime | None]


class SingleTopicRow(Base):
    """A subscriber gets one article of a topic at most."""

    __tablename__ = "single_topics"

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    topic_id: Mapped[int] = mapped_column(
        ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since: Mapped[datetime | None]


class UnwantedSourceRow(Base):
    """A subscriber gets nothing of a source, which is known by the name that mails print."""

    __tablename__ = "unwanted_sources"

    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    source: Mapped[str] = mapped_column(String(200), primary_key=True)
    since: Mapped[datetime | None]


def mute_topic(
    session: Session,
    subscriber_id: SubscriberId,
    topic_id: int,
    *,
    until: datetime,
    now: datetime,
) -> None:
    """Let a topic count as not followed until then; a mute that has not ended goes on."""
    going_on = session.scalar(
        select(MutedTopicRow.since).where(
            MutedTopicRow.subscriber_id == subscriber_id,
            MutedTopicRow.topic_id == topic_id,
            MutedTopicRow.until > now,
        )
    )
    row = {"subscriber_id": subscriber_id, "topic_id": topic_id, "until": until, "since": going_on or now}
    insert_or_replace(session, MutedTopicRow, row)


def unmute_topic(session: Session, subscriber_id: SubscriberId, topic_id: int) -> None:
    """Let a topic count as followed again, if it is."""
    _forget(session, MutedTopicRow, subscriber_id, MutedTopicRow.topic_id == topic_id)


def set_single(
    session: Session,
    subscriber_id: SubscriberId,
    topic_id: int,
    *,
    is_single: bool,
    now: datetime | None = None,
) -> None:
    """Let a subscriber get one article of a topic at most, from `now` on, or all again."""
    if is_single:
        row = {"subscriber_id": subscriber_id, "topic_id": topic_id, "since": now}
        session.execute(insert_or_ignore(session, SingleTopicRow, [row]))
    else:
        _forget(session, SingleTopicRow, subscriber_id, SingleTopicRow.topic_id == topic_id)


def set_unwanted(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    source: str,
    *,
    is_unwanted: bool,
    now: datetime | None = None,
) -> None:
    """Let a subscriber get nothing of a source, from `now` on, or all again."""
    key = storable(source_key(source))
    if is_unwanted:
        row = {
            "newsletter_id": newsletter_id,
            "subscriber_id": subscriber_id,
            "source": key,
            "since": now,
        }
        session.execute(insert_or_ignore(session, UnwantedSourceRow, [row]))
    else:
        _forget(
            session,
            UnwantedSourceRow,
            subscriber_id,
            UnwantedSourceRow.newsletter_id == newsletter_id,
            UnwantedSourceRow.source == key,
        )


def _forget(
    session: Session,
    table: type[MutedTopicRow | SingleTopicRow | UnwantedSourceRow],
    subscriber_id: SubscriberId,
    *which: ColumnElement[bool],
) -> None:
    session.execute(
        delete(table)
        .where(table.subscriber_id == subscriber_id, *which)
        .execution_options(synchronize_session=False)
    )


class LessAsked:
    """What the readers of one newsletter want less of in an issue, asked for a page of them at a time.

    `topics` are row ids, as `topic_ids` returns them. A topic is muted that is so beyond `after`, the end of
    the days that the issue covers: so an issue looks the same to whoever looks at it, and whenever. With `by`
    only what was asked by then counts. Where nobody asked for anything, nobody is asked about.
    """

    def __init__(
        self,
        session: Session,
        newsletter_id: NewsletterId,
        topics: Mapping[TopicSlug, int],
        *,
        after: datetime,
        by: datetime | None = None,
    ) -> None:
        self._session = session
        self._names = {number: slug for slug, number in topics.items()}
        ids = list(self._names)
        self._muted = (
            MutedTopicRow.topic_id.in_(ids),
            MutedTopicRow.until > after,
            *_by(MutedTopicRow.since, by),
        )
        self._single = SingleTopicRow.topic_id.in_(ids), *_by(SingleTopicRow.since, by)
        self._sources = (
            UnwantedSourceRow.newsletter_id == newsletter_id,
            *_by(UnwantedSourceRow.since, by),
        )
        self.is_any = self._has_any()

    def _has_any(self) -> bool:
        kinds = (self._muted, self._single, self._sources)
        return any(self._session.scalar(select(exists().where(*which))) for which in kinds)

    def between(self, first: SubscriberId, last: SubscriberId) -> Mapping[SubscriberId, Less]:
        """Return what subscribers of these ids, both included, want less of; who wants all lacks."""
        if not self.is_any:
            return {}
        ids = first, last
        muted = self._by_reader(MutedTopicRow.subscriber_id, MutedTopicRow.topic_id, self._muted, ids)
        single = self._by_reader(SingleTopicRow.subscriber_id, SingleTopicRow.topic_id, self._single, ids)
        sources = self._by_reader(
            UnwantedSourceRow.subscriber_id, UnwantedSourceRow.source, self._sources, ids
        )
        return {
            SubscriberId(who): Less(
                frozenset(self._names[one] for one in muted.get(who, ())),
                frozenset(self._names[one] for one in single.get(who, ())),
                frozenset(sources.get(who, ())),
            )
            for who in {*muted, *single, *sources}
        }

    def _by_reader(
        self,
        who: InstrumentedAttribute[int],
        what: InstrumentedAttribute[_T],
        which: Sequence[ColumnElement[bool]],
        between: tuple[int, int],
    ) -> dict[int, set[_T]]:
        found: dict[int, set[_T]] = defaultdict(set)
        rows = select(who, what).where(*which, who.between(*between))
        for reader, one in self._session.connection().execute(rows):
            found[reader].add(one)
        return found

    def of(self, who: SubscriberId) -> Less:
        """Return what one subscriber wants less of."""
        return self.between(who, who).get(who, NOTHING_LESS)

    @property
    def asks(self) -> tuple[ColumnElement[bool], ...]:
        """Return what holds for a `SubscriberRow` that asked for less: one of these does.

        Nothing is asked of the database where nobody did.
        """
        if not self.is_any:
            return ()
        me = SubscriberRow.id
        return (
            exists().where(MutedTopicRow.subscriber_id == me, *self._muted),
            exists().where(SingleTopicRow.subscriber_id == me, *self._single),
            exists().where(UnwantedSourceRow.subscriber_id == me, *self._sources),
        )


def _by(
    since: InstrumentedAttribute[datetime | None], by: datetime | None
) -> tuple[ColumnElement[bool], ...]:
    return () if by is None else (or_(since.is_(None), since <= by),)


def less_of(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    *,
    after: datetime,
    by: datetime | None = None,
) -> Less:
    """Return what a subscriber wants less of in an issue whose days end then, as far as they asked `by` then.

    None: at any time.
    """
    topics = topic_ids(session, newsletter_id)
    return LessAsked(session, newsletter_id, topics, after=after, by=by).of(subscriber_id)


def muted_until(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, *, now: datetime
) -> Mapping[TopicSlug, datetime]:
    """Return which topics of a newsletter a subscriber muted, and until when."""
    names = {number: slug for slug, number in topic_ids(session, newsletter_id).items()}
    rows = session.execute(
        select(MutedTopicRow.topic_id, MutedTopicRow.until).where(
            MutedTopicRow.subscriber_id == subscriber_id,
            MutedTopicRow.topic_id.in_(list(names)),
            MutedTopicRow.until > now,
        )
    )
    return {names[topic]: until for topic, until in rows}
