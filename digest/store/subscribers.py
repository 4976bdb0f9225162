"""Subscribers, what they subscribed to, and the topics they follow."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    delete,
    false,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from digest.domain.cadences import Cadence
from digest.domain.endpoints import EventKind
from digest.domain.errors import NotFound
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.sign_ups import Wishes
from digest.domain.subscribers import Subscriber, SubscriberId, Subscription, SubscriptionState, email_key
from digest.domain.topics import TopicSlug
from digest.domain.wished import WishedHour
from digest.store.announcements import announce
from digest.store.base import NEVER_AGAIN, Base, storable
from digest.store.departures import close_departures
from digest.store.newsletters import TopicRow, topic_ids
from digest.store.reader_locks import hold_readers

_RETURNS = text("paused_until IS NOT NULL")


class SubscriberRow(Base):
    """A person by their address; `email_key` is what its spellings share.

    `moved_at` is when they last got another one, None for who still has their first.
    """

    __tablename__ = "subscribers"
    __table_args__ = (
        # Its migration makes it COLLATE "C": by bytes, what begins alike stands together, and languages' own
        # orders pass over dots. SQLite orders its keys so by itself.
        Index("ix_subscribers_email_bytes", "email_key").ddl_if(dialect="postgresql"),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(16))
    timezone: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    moved_at: Mapped[datetime | None]


class SubscriptionRow(Base):
    """A subscriber's tie to a newsletter. `max_items` is how many articles a mail may hold, None for all.

    `joined_at` is when they first asked for it; None: as long ago as it is what it is (`changed_at`).
    `send_at` is written as a `WishedHour` is; `paused_until` is None of all who did not say.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        # Those few who come back by themselves are looked for every minute.
        Index("ix_subscriptions_returning", "paused_until", sqlite_where=_RETURNS, postgresql_where=_RETURNS),
    )

    newsletter_id: Mapped[int] = mapped_column(
        ForeignKey("newsletters.id", ondelete="CASCADE"), primary_key=True
    )
    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    state: Mapped[str] = mapped_column(String(16))
    changed_at: Mapped[datetime]
    joined_at: Mapped[datetime | None]
    cadence: Mapped[str] = mapped_column(String(16), default="every", server_default="every")
    max_items: Mapped[int | None]
    send_at: Mapped[str] = mapped_column(String(16), default="", server_default="")
    text_only: Mapped[bool] = mapped_column(default=False, server_default=false())
    paused_until: Mapped[datetime | None]


class FollowRow(Base):
    """A subscriber follows a topic."""

    __tablename__ = "follows"

    subscriber_id: Mapped[int] = mapped_column(
        ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    topic_id: Mapped[int] = mapped_column(
        ForeignKey("topics.id", ondelete="CASCADE"), primary_key=True, index=True
    )


def subscribe(
    session: Session,
    newsletter_id: NewsletterId,
    *,
    email: str,
    follows: Iterable[TopicSlug],
    now: datetime,
    name: str = "",
    language: str = "",
    timezone: str = "",
    cadence: Cadence | None = None,
    max_items: int | None = None,
    send_at: WishedHour | None = None,
    text_only: bool | None = None,
    state: SubscriptionState = SubscriptionState.ACTIVE,
) -> Subscription:
    """Make `email` a subscriber who follows exactly `follows`; the address may be known already.

    What is '' of name, language and zone stays as it is known, and so do those of the others that are None;
    `max_items` of 0 lets a mail hold all articles. Raises `NotFound` for a topic the newsletter
    does not have.
    """
    row = _find_row(session, email)
    if row is None:
        row = SubscriberRow(
            email=email, email_key=email_key(email), name="", language="", timezone="", created_at=now
        )
        session.add(row)
    row.name, row.language, row.timezone = (
        name or row.name,
        language or row.language,
        timezone or row.timezone,
    )
    session.flush()
    tie = session.get(SubscriptionRow, (newsletter_id, row.id))
    if tie is None:
        tie = SubscriptionRow(newsletter_id=newsletter_id, subscriber_id=row.id, joined_at=now)
        session.add(tie)
    is_moved = tie.state != state
    if is_moved:
        tie.state, tie.changed_at = state, now
    tie.cadence = cadence or tie.cadence or Cadence.EVERY.value
    tie.max_items = tie.max_items if max_items is None else max_items or None
    tie.send_at = (tie.send_at or "") if send_at is None else str(send_at)
    tie.text_only = bool(tie.text_only) if text_only is None else text_only
    if is_moved:
        tie.paused_until = None
    session.flush()
    set_follows(session, newsletter_id, SubscriberId(row.id), follows)
    if is_moved:
        _tell_moved(session, newsletter_id, SubscriberId(row.id), state, now)
    return get_subscription(session, newsletter_id, email)


def forget(session: Session, subscriber_id: SubscriberId, fields: Collection[str]) -> None:
    """Let nothing be known any more of these of a subscriber: name, language, timezone."""
    row = session.get_one(SubscriberRow, subscriber_id)
    for field in fields:
        setattr(row, field, "")
    session.flush()


def set_follows(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, follows: Iterable[TopicSlug]
) -> None:
    """Let a subscriber follow exactly `follows` of this newsletter. Raises `NotFound` for an unknown one."""
    known = topic_ids(session, newsletter_id)
    wanted = tuple(follows)
    for slug in wanted:
        if slug not in known:
            raise NotFound(f"no topic '{slug}'; there is: {', '.join(known) or 'none yet'}")
    session.execute(
        delete(FollowRow).where(
            FollowRow.subscriber_id == subscriber_id, FollowRow.topic_id.in_(list(known.values()))
        )
    )
    session.add_all(FollowRow(subscriber_id=subscriber_id, topic_id=known[slug]) for slug in set(wanted))
    session.flush()


def grant_wishes(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, wishes: Wishes
) -> None:
    """Let a subscriber have what they asked for; topics that were dropped since are left out.

    Name and language are set where they are not known: they may be of another newsletter, too.
    """
    known = topic_ids(session, newsletter_id)
    set_follows(session, newsletter_id, subscriber_id, [slug for slug in wishes.topics if slug in known])
    cadence = wishes.cadence or Cadence.EVERY
    for changed in (
        update(SubscriptionRow)
        .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == subscriber_id)
        .values(cadence=cadence.value),
        update(SubscriberRow)
        .where(SubscriberRow.id == subscriber_id, SubscriberRow.name == "")
        .values(name=storable(wishes.name)[:200]),
        update(SubscriberRow)
        .where(SubscriberRow.id == subscriber_id, SubscriberRow.language == "")
        .values(language=wishes.language),
    ):
        session.execute(changed.execution_options(synchronize_session=False))
    session.expire_all()


def find_subscription(session: Session, newsletter_id: NewsletterId, email: str) -> Subscription | None:
    """Return the subscription of `email`, in any state, or None when there never was one."""
    row = _find_row(session, email)
    return None if row is None else subscription_of(session, newsletter_id, SubscriberId(row.id))


def get_subscription(session: Session, newsletter_id: NewsletterId, email: str) -> Subscription:
    """Return the subscription of `email`, in any state. Raises `NotFound`."""
    found = find_subscription(session, newsletter_id, email)
    if found is None:
        raise NotFound(f"'{email}' is not a subscriber: add one with 'digest subscriber add'")
    return found


def subscription_of(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId
) -> Subscription | None:
    """Return a subscriber's tie to the newsletter, or None when there never was one."""
    row = session.get(SubscriberRow, subscriber_id)
    tie = session.get(SubscriptionRow, (newsletter_id, subscriber_id))
    if row is None or tie is None:
        return None
    slugs = session.scalars(
        select(TopicRow.slug)
        .join(FollowRow, FollowRow.topic_id == TopicRow.id)
        .where(
            FollowRow.subscriber_id == subscriber_id,
            TopicRow.newsletter_id == newsletter_id,
            ~TopicRow.is_removed,
        )
    )
    return as_subscription(row, tie, slugs)


def subscription_by_number(
    session: Session, newsletter: Newsletter, subscriber_id: int, *, lock: bool = False
) -> Subscription:
    """Return a subscriber's tie to the newsletter, in any state; `lock` keeps others from it.

    Raises `NotFound`.
    """
    if lock:
        hold_readers(session, [SubscriberId(subscriber_id)])
        tie = select(SubscriptionRow.state).where(
            SubscriptionRow.newsletter_id == newsletter.id, SubscriptionRow.subscriber_id == subscriber_id
        )
        session.execute(tie.with_for_update())
    found = subscription_of(session, newsletter.id, SubscriberId(subscriber_id))
    if found is None:
        raise NotFound(f"newsletter '{newsletter.slug}' has no subscriber {subscriber_id}")
    return found


def ids_of(session: Session, keys: Collection[str]) -> dict[str, SubscriberId]:
    """Return who has which of these mailboxes, by their keys; of others there is nothing."""
    rows = session.execute(
        select(SubscriberRow.email_key, SubscriberRow.id).where(SubscriberRow.email_key.in_(keys))
    )
    return {key: SubscriberId(number) for key, number in rows}


def set_subscription_state(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    state: SubscriptionState,
    *,
    now: datetime,
    only_from: Collection[SubscriptionState] = tuple(SubscriptionState),
    until: datetime | None = None,
    left_since: datetime | None = None,
) -> bool:
    """Change whether a subscriber wants the newsletter; the follows stay, so that a return is one step.

    `until` is when a pause ends by itself. Returns whether this call did it: False when there is no
    subscription in one of the states `only_from`, or they unsubscribed before `left_since`.
    """
    which = [
        SubscriptionRow.newsletter_id == newsletter_id,
        SubscriptionRow.subscriber_id == subscriber_id,
        SubscriptionRow.state.in_(list(only_from)),
    ]
    if left_since is not None:
        has_left = SubscriptionRow.state == SubscriptionState.UNSUBSCRIBED.value
        which.append(or_(~has_left, SubscriptionRow.changed_at >= left_since))
    changed = session.scalar(
        update(SubscriptionRow)
        .where(*which)
        .values(state=state, changed_at=now, paused_until=until)
        .returning(SubscriptionRow.subscriber_id)
    )
    if changed is not None:
        _tell_moved(session, newsletter_id, subscriber_id, state, now)
    return changed is not None


def set_cadence(
    session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId, cadence: Cadence
) -> bool:
    """Let a subscriber have the newsletter this often; return whether there is such a subscription."""
    changed = session.scalar(
        update(SubscriptionRow)
        .where(SubscriptionRow.newsletter_id == newsletter_id, SubscriptionRow.subscriber_id == subscriber_id)
        .values(cadence=cadence.value)
        .returning(SubscriptionRow.subscriber_id)
    )
    return changed is not None


def left_at(session: Session, newsletter_id: NewsletterId, subscriber_id: SubscriberId) -> datetime | None:
    """Return when somebody unsubscribed who is unsubscribed now, None for all others."""
    return session.scalar(
        select(SubscriptionRow.changed_at).where(
            SubscriptionRow.newsletter_id == newsletter_id,
            SubscriptionRow.subscriber_id == subscriber_id,
            SubscriptionRow.state == SubscriptionState.UNSUBSCRIBED.value,
        )
    )


def _tell_moved(
    session: Session,
    newsletter_id: NewsletterId,
    subscriber_id: SubscriberId,
    state: SubscriptionState,
    now: datetime,
) -> None:
    """Keep that who has not left is here, whichever way they came, and tell endpoints where they stand.

    By number, as an address is nobody else's business.
    """
    if state is not SubscriptionState.UNSUBSCRIBED:
        close_departures(session, newsletter_id, subscriber_id, now=now)
    told = standing_told(newsletter_id, subscriber_id, state)
    announce(session, EventKind(f"subscriber.{state}"), told, now=now)


def standing_told(
    newsletter_id: NewsletterId, subscriber_id: SubscriberId, state: SubscriptionState
) -> dict[str, object]:
    """Return what endpoints are told of a subscription that came into a state."""
    return {"newsletter": newsletter_id, "subscriber": subscriber_id, "state": state.value}


def subscribed_ever(session: Session, subscriber_id: SubscriberId) -> tuple[NewsletterId, ...]:
    """Return the newsletters that somebody has a subscription to, in any state."""
    found = select(SubscriptionRow.newsletter_id).where(SubscriptionRow.subscriber_id == subscriber_id)
    return tuple(map(NewsletterId, session.scalars(found)))


def find_address(session: Session, subscriber_id: SubscriberId) -> str | None:
    """Return a subscriber's address as they gave it, None when they were removed."""
    return session.scalar(select(SubscriberRow.email).where(SubscriberRow.id == subscriber_id))


def _find_row(session: Session, email: str) -> SubscriberRow | None:
    return session.scalar(select(SubscriberRow).where(SubscriberRow.email_key == email_key(email)))


def as_subscription(row: SubscriberRow, tie: SubscriptionRow, slugs: Iterable[str]) -> Subscription:
    """Return what rows of a subscriber and of their tie to a newsletter hold, who follows these topics."""
    return Subscription(
        _subscriber(row),
        SubscriptionState(tie.state),
        frozenset(map(TopicSlug, slugs)),
        Cadence(tie.cadence),
        tie.max_items,
        tie.send_at,
        tie.text_only,
        tie.paused_until,
    )


def _subscriber(row: SubscriberRow) -> Subscriber:
    return Subscriber(SubscriberId(row.id), row.email, row.name, row.language, row.timezone)
